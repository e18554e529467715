using System.Runtime.InteropServices;

namespace Hull.Linux;

/// <summary>struct clone_args of clone3(2), 88 bytes (include/uapi/linux/sched.h).</summary>
[StructLayout(LayoutKind.Sequential)]
public struct CloneArguments
{
    public CloneFlags Flags;
    /// <summary>Where the kernel stores the pidfd, an int*.</summary>
    public ulong PidFd;
    public ulong ChildTid;
    public ulong ParentTid;
    /// <summary>The signal that tells the parent of the child's end: SIGCHLD, or 0.</summary>
    public ulong ExitSignal;
    public ulong Stack;
    public ulong StackSize;
    public ulong Tls;
    public ulong SetTid;
    public ulong SetTidSize;
    /// <summary>With <see cref="CloneFlags.IntoCgroup"/>: the descriptor of the directory.</summary>
    public ulong Cgroup;
}
