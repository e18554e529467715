using System.Runtime.InteropServices;

namespace Hull.Linux;

/// <summary>One instruction of a classic BPF program, <c>struct sock_filter</c> of linux/filter.h.</summary>
/// <param name="Code">Class, size, mode and operation; see <see cref="BpfCode"/>.</param>
/// <param name="JumpTrue">Instructions to skip where a comparison holds.</param>
/// <param name="JumpFalse">Instructions to skip where it does not.</param>
/// <param name="K">The operand.</param>
[StructLayout(LayoutKind.Sequential)]
public readonly record struct SockFilter(ushort Code, byte JumpTrue, byte JumpFalse, uint K)
{
    /// <summary>BPF_MAXINSNS: the longest program that the kernel takes.</summary>
    public const int MaximumProgramLength = 4096;
}

/// <summary>The instructions of classic BPF that seccomp programs use (linux/bpf_common.h).</summary>
public static class BpfCode
{
    /// <summary>BPF_LD|BPF_W|BPF_ABS: A = the 32-bit word of <c>struct seccomp_data</c> at K.</summary>
    public const ushort LoadWord = 0x20;
    /// <summary>BPF_ALU|BPF_AND|BPF_K.</summary>
    public const ushort And = 0x54;
    /// <summary>BPF_JMP|BPF_JA: skips K instructions.</summary>
    public const ushort Jump = 0x05;
    /// <summary>BPF_JMP|BPF_JEQ|BPF_K.</summary>
    public const ushort JumpEqual = 0x15;
    /// <summary>BPF_JMP|BPF_JGT|BPF_K, unsigned.</summary>
    public const ushort JumpGreater = 0x25;
    /// <summary>BPF_JMP|BPF_JGE|BPF_K, unsigned.</summary>
    public const ushort JumpGreaterOrEqual = 0x35;
    /// <summary>BPF_JMP|BPF_JSET|BPF_K: any bit of K set in A.</summary>
    public const ushort JumpBitsSet = 0x45;
    /// <summary>BPF_RET|BPF_K.</summary>
    public const ushort Return = 0x06;
}

/// <summary>What a seccomp program answers: an action in the upper half, its data in the lower (linux/seccomp.h).</summary>
public static class SeccompReturn
{
    public const uint KillProcess = 0x80000000;
    public const uint KillThread = 0x00000000;
    public const uint Trap = 0x00030000;
    /// <summary>The data is the errno.</summary>
    public const uint Errno = 0x00050000;
    public const uint UserNotification = 0x7fc00000;
    /// <summary>The data reaches the tracer with PTRACE_GETEVENTMSG.</summary>
    public const uint Trace = 0x7ff00000;
    public const uint Log = 0x7ffc0000;
    public const uint Allow = 0x7fff0000;
}

/// <summary>Flags of seccomp(2), operation SECCOMP_SET_MODE_FILTER.</summary>
[Flags]
public enum SeccompFlags : uint
{
    None = 0,
    ThreadSync = 1,
    Log = 2,
    SpeculationAllow = 4,
    NewListener = 8,
    ThreadSyncEsrch = 16,
    WaitKillableReceive = 32,
}

/// <summary>Architectures as the kernel tells them to a seccomp program (linux/audit.h).</summary>
public static class AuditArchitecture
{
    /// <summary>Also x32, whose numbers carry bit 30.</summary>
    public const uint X64 = 0xC000003E;
    public const uint I386 = 0x40000003;
    public const uint Arm64 = 0xC00000B7;
    public const uint Arm = 0x40000028;
}
