using System.Runtime.InteropServices;

namespace Hull.Linux;

/// <summary>One eBPF instruction, struct bpf_insn (include/uapi/linux/bpf.h).</summary>
[StructLayout(LayoutKind.Sequential)]
public readonly record struct BpfInstruction(byte Code, byte Registers, short Offset, int Immediate)
{
    public int Destination => Registers & 0xf;

    public int Source => Registers >> 4;

    /// <summary>dst = *(u32 *)(src + offset).</summary>
    public static BpfInstruction LoadWord(int destination, int source, short offset) =>
        new(0x61, Pair(destination, source), offset, 0);

    /// <summary>dst = src.</summary>
    public static BpfInstruction Move(int destination, int source) => new(0xbf, Pair(destination, source), 0, 0);

    /// <summary>dst = value.</summary>
    public static BpfInstruction Move(int destination, long value) => new(0xb7, (byte)destination, 0, checked((int)value));

    /// <summary>dst &amp;= value.</summary>
    public static BpfInstruction And(int destination, int value) => new(0x57, (byte)destination, 0, value);

    /// <summary>dst >>= bits, unsigned.</summary>
    public static BpfInstruction ShiftRight(int destination, int bits) => new(0x77, (byte)destination, 0, bits);

    /// <summary>if (dst == value) skip <paramref name="offset"/> instructions; the value is sign-extended to 64 bits.</summary>
    public static BpfInstruction JumpIfEqual(int destination, int value, short offset) => new(0x15, (byte)destination, offset, value);

    /// <summary>if (dst != value) skip <paramref name="offset"/> instructions.</summary>
    public static BpfInstruction JumpIfNotEqual(int destination, int value, short offset) => new(0x55, (byte)destination, offset, value);

    /// <summary>return r0.</summary>
    public static BpfInstruction Exit() => new(0x95, 0, 0, 0);

    private static byte Pair(int destination, int source) => (byte)(destination | (source << 4));
}
