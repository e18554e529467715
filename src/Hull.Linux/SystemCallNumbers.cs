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

    public const int pidfd_getfd = 438;

    public const int open_tree = 428;

    public const int move_mount = 429;

    public const int fsopen = 430;

    public const int fsconfig = 431;

    public const int fsmount = 432;

    public const int mount_setattr = 442;

    public static readonly int bpf = Native(321, 280);
    public static readonly int ioctl = Native(16, 29);
    public static readonly int sendmsg = Native(46, 211);
    public static readonly int socket = Native(41, 198);
    public static readonly int clone = Native(56, 220);
    public static readonly int execve = Native(59, 221);
    public static readonly int wait4 = Native(61, 260);
    public static readonly int kill = Native(62, 129);
    public static readonly int read = Native(0, 63);
    public static readonly int write = Native(1, 64);
    public static readonly int lseek = Native(8, 62);
    public static readonly int ppoll = Native(271, 73);
    public static readonly int close = Native(3, 57);
    public static readonly int openat = Native(257, 56);
    public static readonly int mkdirat = Native(258, 34);
    public static readonly int mknodat = Native(259, 33);
    public static readonly int fchownat = Native(260, 54);
    public static readonly int symlinkat = Native(266, 36);
    public static readonly int fchmod = Native(91, 52);
    public static readonly int fchmodat = Native(268, 53);
    public static readonly int unlinkat = Native(263, 35);
    public static readonly int dup3 = Native(292, 24);
    public static readonly int fcntl = Native(72, 25);
    public static readonly int fstatfs = Native(138, 44);
    public static readonly int statx = Native(332, 291);
    public static readonly int chdir = Native(80, 49);
    public static readonly int fchdir = Native(81, 50);
    public static readonly int getcwd = Native(79, 17);
    public static readonly int mount = Native(165, 40);
    public static readonly int umount2 = Native(166, 39);
    public static readonly int pivot_root = Native(155, 41);
    public static readonly int chroot = Native(161, 51);
    public static readonly int sethostname = Native(170, 161);
    public static readonly int setdomainname = Native(171, 162);
    public static readonly int unshare = Native(272, 97);
    public static readonly int setns = Native(308, 268);
    public static readonly int setsid = Native(112, 157);
    public static readonly int prctl = Native(157, 167);
    public static readonly int prlimit64 = Native(302, 261);
    public static readonly int setgroups = Native(116, 159);
    public static readonly int setresuid = Native(117, 147);
    public static readonly int setresgid = Native(119, 149);
    public static readonly int capset = Native(126, 91);
    public static readonly int umask = Native(95, 166);
    public static readonly int seccomp = Native(317, 277);
    public static readonly int rt_sigaction = Native(13, 134);
    public static readonly int rt_sigprocmask = Native(14, 135);
    public static readonly int rt_sigtimedwait = Native(128, 137);
    public static readonly int exit_group = Native(231, 94);
    public static readonly int getpid = Native(39, 172);
    public static readonly int getppid = Native(110, 173);
    public static readonly int setpriority = Native(141, 140);
    public static readonly int sched_setattr = Native(314, 274);
    public static readonly int ioprio_set = Native(251, 30);
    public static readonly int personality = Native(135, 92);
    public static readonly int sched_setaffinity = Native(203, 122);
    public static readonly int brk = Native(12, 214);
    public static readonly int mmap = Native(9, 222);
    public static readonly int munmap = Native(11, 215);
    public static readonly int mprotect = Native(10, 226);
    public static readonly int mremap = Native(25, 216);
    public static readonly int pread64 = Native(17, 67);
    public static readonly int fsetxattr = Native(190, 7);
    public static readonly int keyctl = Native(250, 219);

    /// <summary>The number on this machine's architecture.</summary>
    public static int Native(int x64, int arm64) => Arm64 ? arm64 : x64;
}
