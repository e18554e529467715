using System.Runtime.InteropServices;

namespace Hull.Linux;

/// <summary>System call numbers for the calls that reach the kernel without a libc wrapper or through an init
/// plan. Numbers above 423 are the same on every architecture.</summary>
/// <remarks>arch/x86/entry/syscalls/syscall_64.tbl, include/uapi/asm-generic/unistd.h.</remarks>
public static class SystemCallNumbers
{
    private static readonly bool Arm64 = RuntimeInformation.ProcessArchitecture == Architecture.Arm64;

    public const int openat2 = 437;

    public const int clone3 = 435;

    public const int close_range = 436;

    public const int pidfd_open = 434;

    public const int pidfd_send_signal = 424;

    public const int open_tree = 428;

    public const int move_mount = 429;

    public const int fsopen = 430;

    public const int fsconfig = 431;

    public const int fsmount = 432;

    public const int mount_setattr = 442;

    public static readonly int bpf = Native(321, 280);

    /// <summary>The number on this machine's architecture.</summary>
    public static int Native(int x64, int arm64) => Arm64 ? arm64 : x64;
}
