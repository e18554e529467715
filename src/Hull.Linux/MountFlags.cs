namespace Hull.Linux;

/// <summary>mount(2) flags.</summary>
[Flags]
public enum MountFlags : ulong
{
    None = 0,
    ReadOnly = 1,
    NoSetuid = 2,
    NoDevices = 4,
    NoExecute = 8,
    Synchronous = 16,
    Remount = 32,
    MandatoryLocks = 64,
    DirectorySynchronous = 128,
    NoAccessTime = 1024,
    NoDirectoryAccessTime = 2048,
    Bind = 4096,
    Move = 8192,
    Recursive = 16384,
    Unbindable = 1 << 17,
    Private = 1 << 18,
    Slave = 1 << 19,
    Shared = 1 << 20,
    RelativeAccessTime = 1 << 21,
    StrictAccessTime = 1 << 24,
}

/// <summary>Attributes of a mount made with fsmount(2) or changed with mount_setattr(2).</summary>
[Flags]
public enum MountAttributes : ulong
{
    None = 0,
    ReadOnly = 0x1,
    NoSetuid = 0x2,
    NoDevices = 0x4,
    NoExecute = 0x8,
    /// <summary>The bits that hold the access-time mode; relatime is 0.</summary>
    AccessTimeMask = 0x70,
    NoAccessTime = 0x10,
    StrictAccessTime = 0x20,
    NoDirectoryAccessTime = 0x80,
    IdMapped = 0x100000,
    NoSymbolicLinks = 0x200000,
}

/// <summary>umount2(2) flags.</summary>
[Flags]
public enum UnmountFlags
{
    None = 0,
    Force = 1,
    /// <summary>Out of the tree now, gone with its last user.</summary>
    Detach = 2,
    Expire = 4,
    NoFollow = 8,
}
