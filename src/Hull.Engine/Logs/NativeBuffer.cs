using System.Runtime.InteropServices;

namespace Hull.Engine.Logs;

/// <summary>A fixed block of memory outside the collected heap: its pages cost nothing until they are used, which keeps an
/// idle monitor small. Not thread-safe; lives until disposed.</summary>
internal sealed unsafe class NativeBuffer : IDisposable
{
    private byte* _memory;

    public NativeBuffer(int capacity)
    {
        _memory = (byte*)NativeMemory.Alloc((nuint)capacity);
        Capacity = capacity;
    }

    public int Capacity { get; }

    // SAFETY: the block is Capacity bytes and lives until Dispose; afterwards the span is empty.
    public Span<byte> Span => _memory is null ? default : new Span<byte>(_memory, Capacity);

    public void Dispose()
    {
        NativeMemory.Free(_memory);
        _memory = null;
    }
}
