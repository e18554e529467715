using Hull.Linux;

namespace Hull.Runtime;

/// <summary>Writes a classic BPF program from its end to its beginning.</summary>
/// <remarks>
/// BPF jumps only forward, so that going backward every target is already there and its distance known. A label is
/// the place of an instruction counted from the program's end. A conditional jump reaches 255 instructions; where that is
/// not enough, an unconditional one (32 bits) is put behind it as a stepping stone.
/// </remarks>
internal sealed class BackwardAssembler
{
    /// <summary>The reach of a conditional jump, less one for the stepping stone of its other branch.</summary>
    private const int Reach = byte.MaxValue - 1;

    private readonly List<SockFilter> _reversed = new(512);
    private readonly Dictionary<uint, int> _returns = [];

    /// <summary>A place that answers <paramref name="value"/>; an earlier one where it is near enough.</summary>
    public int Return(uint value)
    {
        if (_returns.TryGetValue(value, out int label) && Distance(label) <= Reach - 16)
        {
            return label;
        }

        label = Append(new SockFilter(BpfCode.Return, 0, 0, value));
        _returns[value] = label;
        return label;
    }

    /// <summary>Loads a word of <c>struct seccomp_data</c> and goes on at <paramref name="next"/>.</summary>
    public int Load(uint offset, int next) => Before(next, new SockFilter(BpfCode.LoadWord, 0, 0, offset));

    /// <summary>Keeps only the bits of <paramref name="mask"/> and goes on at <paramref name="next"/>.</summary>
    public int And(uint mask, int next) => Before(next, new SockFilter(BpfCode.And, 0, 0, mask));

    /// <summary>A comparison with <paramref name="k"/> and where to go on.</summary>
    public int Branch(ushort code, uint k, int whenTrue, int whenFalse)
    {
        if (whenTrue == whenFalse)
        {
            return whenTrue;
        }

        int near = Distance(whenTrue) > Reach ? Step(whenTrue) : whenTrue;
        int otherNear = Distance(whenFalse) > Reach ? Step(whenFalse) : whenFalse;
        return Append(new SockFilter(code, (byte)Distance(near), (byte)Distance(otherNear), k));
    }

    /// <summary>The program whose first instruction is the last one written.</summary>
    public SockFilter[] Finish()
    {
        SockFilter[] program = [.. _reversed];
        Array.Reverse(program);
        return program;
    }

    private int Before(int next, SockFilter instruction)
    {
        if (Distance(next) != 0)
        {
            Step(next);
        }

        return Append(instruction);
    }

    private int Step(int target) => Append(new SockFilter(BpfCode.Jump, 0, 0, (uint)Distance(target)));

    /// <summary>Instructions between the next one to be written and a label.</summary>
    private int Distance(int label) => _reversed.Count - label - 1;

    private int Append(SockFilter instruction)
    {
        _reversed.Add(instruction);
        return _reversed.Count - 1;
    }
}
