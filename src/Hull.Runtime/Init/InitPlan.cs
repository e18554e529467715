using System.Runtime.InteropServices;
using System.Text;
using Hull.Linux;
using Microsoft.Win32.SafeHandles;

namespace Hull.Runtime.Init;

/// <summary>The ordered steps of a child between clone3 and execve, and the native memory they point to.</summary>
/// <remarks>
/// Built by the parent, walked by <see cref="ChildStage"/>, asserted by unit tests and printed by a dry run: one list for
/// all. Not thread-safe. Memory is freed on disposal, which the parent does once the child has executed or ended; the child
/// has its own copy-on-write view.
/// </remarks>
internal sealed unsafe class InitPlan : IDisposable
{
    private readonly List<PlanStep> _steps = new(192);
    private readonly List<nint> _memory = [];
    private readonly List<SafeHandle> _handles = [];
    private readonly List<int> _kept = [];
    private int _slots;
    private int _closeAt = -1;
    private NativeStep* _native;

    public IReadOnlyList<PlanStep> Steps => _steps;

    public int SlotCount => _slots;

    /// <summary>The steps in the form the child walks; made by <see cref="Freeze"/>.</summary>
    public NativeStep* Native => _native;

    public Slot NewSlot() => new(_slots++);

    /// <summary>Adds a call whose result is dropped.</summary>
    public void Call(string call, int number, string target, string why, ReadOnlySpan<PlanArgument> arguments,
        ReadOnlySpan<Errno> tolerated = default, string? hint = null) =>
        _steps.Add(new PlanStep
        {
            Kind = StepKind.Call,
            Call = call,
            Number = number,
            Target = target,
            Why = why,
            Arguments = arguments.ToArray(),
            Tolerated = tolerated.ToArray(),
            Hint = hint,
        });

    /// <summary>Adds a call whose result later steps use.</summary>
    public Slot CallInto(string call, int number, string target, string why, ReadOnlySpan<PlanArgument> arguments,
        ReadOnlySpan<Errno> tolerated = default, string? hint = null)
    {
        Slot slot = NewSlot();
        _steps.Add(new PlanStep
        {
            Kind = StepKind.Call,
            Call = call,
            Number = number,
            Target = target,
            Why = why,
            Arguments = arguments.ToArray(),
            Tolerated = tolerated.ToArray(),
            Result = slot.Index,
            Hint = hint,
        });
        return slot;
    }

    public void Add(PlanStep step) => _steps.Add(step);

    /// <summary>Adds a check of a 32-bit word that an earlier call of the child wrote.</summary>
    public void Verify(uint* word, uint expected, string target, string why, Errno failure, uint mask = uint.MaxValue) =>
        _steps.Add(new PlanStep
        {
            Kind = StepKind.Verify,
            Call = "verify",
            Number = 0,
            Target = target,
            Why = why,
            Arguments = [PlanArgument.Memory(word, target), PlanArgument.Named((nint)expected, $"0x{expected:x}")],
            Expected = (nint)expected,
            Mask = mask,
            Failure = failure,
        });

    /// <summary>Zeroed memory for structures that calls read or fill.</summary>
    public void* Allocate(int size)
    {
        void* memory = NativeMemory.AllocZeroed((nuint)size);
        _memory.Add((nint)memory);
        return memory;
    }

    public T* Allocate<T>(T value)
        where T : unmanaged
    {
        T* memory = (T*)Allocate(sizeof(T));
        *memory = value;
        return memory;
    }

    /// <summary>Bytes that calls read.</summary>
    public byte* AllocateBytes(ReadOnlySpan<byte> bytes)
    {
        byte* memory = (byte*)Allocate(Math.Max(bytes.Length, 1));
        bytes.CopyTo(new Span<byte>(memory, bytes.Length));
        return memory;
    }

    /// <summary>A NUL-terminated UTF-8 copy. A NUL inside would cut the string short for the kernel, so it is refused.</summary>
    public byte* AllocateText(string text)
    {
        int length = Encoding.UTF8.GetByteCount(text);
        if (text.Contains('\0', StringComparison.Ordinal))
        {
            throw new ContainerException(ContainerFault.Engine, $"'{text.Replace('\0', '?')}' contains a NUL character");
        }

        byte* memory = (byte*)Allocate(length + 1);
        Encoding.UTF8.GetBytes(text, new Span<byte>(memory, length));
        return memory;
    }

    /// <summary>A NULL-terminated array of strings, as execve(2) takes it.</summary>
    public byte** AllocateTexts(IReadOnlyList<string> texts)
    {
        byte** array = (byte**)Allocate((texts.Count + 1) * sizeof(byte*));
        for (int i = 0; i < texts.Count; i++)
        {
            array[i] = AllocateText(texts[i]);
        }

        return array;
    }

    /// <summary>A descriptor of the parent as an argument; the plan owns it from now on.</summary>
    public PlanArgument Own(SafeFileHandle handle, string word)
    {
        _handles.Add(handle);
        return PlanArgument.Named(handle.DangerousGetHandle(), word);
    }

    /// <summary>Here the child gives up every descriptor of the parent but 0 to 2 and those named: what it is next can be looked at.</summary>
    public void CloseAllBut(IEnumerable<int> descriptors)
    {
        _closeAt = _steps.Count;
        _kept.AddRange(descriptors);
    }

    /// <summary>Puts the steps of <see cref="CloseAllBut"/> in their place.</summary>
    /// <param name="report">The pipe on which a failure is told; it stays open.</param>
    public void PlaceClose(int report)
    {
        if (_closeAt < 0)
        {
            return;
        }

        uint first = 3;
        int at = _closeAt;
        foreach (int kept in _kept.Append(report).Order())
        {
            if (kept > first)
            {
                InsertClose(at++, first, (uint)kept - 1);
            }

            first = Math.Max(first, (uint)kept + 1);
        }

        InsertClose(at, first, uint.MaxValue);
        _closeAt = -1;
    }

    private void InsertClose(int at, uint first, uint last) => _steps.Insert(at, new PlanStep
    {
        Kind = StepKind.Call,
        Call = "close_range",
        Number = SystemCallNumbers.close_range,
        Target = last == uint.MaxValue ? $"fd {first} and above" : $"fd {first} to {last}",
        Why = "a tracer in the container must find no descriptor of the host (CVE-2016-9962)",
        Arguments = [first, last, 0],
    });

    /// <summary>Lays the steps out in native memory. No step may be added afterwards.</summary>
    public void Freeze()
    {
        _native = (NativeStep*)Allocate(sizeof(NativeStep) * Math.Max(_steps.Count, 1));
        for (int i = 0; i < _steps.Count; i++)
        {
            PlanStep step = _steps[i];
            NativeStep* native = _native + i;
            native->Kind = step.Kind;
            native->Number = step.Number;
            native->Result = step.Result;
            native->Expected = step.Expected;
            native->Mask = step.Mask;
            native->Failure = (int)step.Failure;
            for (int t = 0; t < step.Tolerated.Length; t++)
            {
                native->Tolerated[t] = (int)step.Tolerated[t];
            }

            for (int a = 0; a < step.Arguments.Length; a++)
            {
                PlanArgument argument = step.Arguments[a];
                native->SlotMask |= argument.Form == PlanArgument.Kind.Slot ? 1u << a : 0;
                native->Arguments[a] = argument.Form == PlanArgument.Kind.Text
                    ? (long)AllocateText(argument.Text!)
                    : argument.Value;
            }
        }
    }

    public void Dispose()
    {
        foreach (nint memory in _memory)
        {
            NativeMemory.Free((void*)memory);
        }

        _memory.Clear();
        _native = null;
        foreach (SafeHandle handle in _handles)
        {
            handle.Dispose();
        }

        _handles.Clear();
    }
}

/// <summary>A step as the child walks it: numbers and addresses only.</summary>
internal unsafe struct NativeStep
{
    public StepKind Kind;
    public int Number;
    public int Result;
    public uint SlotMask;
    public uint Mask;
    public int Failure;
    public long Expected;
    public fixed long Arguments[6];
    public fixed int Tolerated[4];
}
