namespace Hull.Linux;

/// <summary>clone(2), unshare(2) and setns(2) flags.</summary>
[Flags]
public enum CloneFlags : ulong
{
    None = 0,
    NewTime = 0x80,
    PidFd = 0x1000,
    /// <summary>The child's parent is the caller's parent.</summary>
    Parent = 0x8000,
    NewMount = 0x20000,
    NewCgroup = 0x2000000,
    NewUts = 0x4000000,
    NewIpc = 0x8000000,
    NewUser = 0x10000000,
    NewPid = 0x20000000,
    NewNetwork = 0x40000000,
    /// <summary>Handled signals are reset in the child (Linux 5.5).</summary>
    ClearSignalHandlers = 0x100000000,
    /// <summary>The child starts in the cgroup v2 directory given (Linux 5.7).</summary>
    IntoCgroup = 0x200000000,
}
