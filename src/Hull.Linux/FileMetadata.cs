namespace Hull.Linux;

/// <summary>What statx(2) says of one file.</summary>
public readonly record struct FileMetadata
{
    public required uint Mode { get; init; }
    public required uint UserId { get; init; }
    public required uint GroupId { get; init; }
    public required ulong Size { get; init; }
    public required ulong Inode { get; init; }
    public required uint Links { get; init; }
    /// <summary>512-byte blocks allocated.</summary>
    public required ulong Blocks { get; init; }
    public required long ModifiedSeconds { get; init; }
    public required uint ModifiedNanoseconds { get; init; }
    public required uint DeviceMajor { get; init; }
    public required uint DeviceMinor { get; init; }
    /// <summary>For a device node, the device it stands for.</summary>
    public required uint RawDeviceMajor { get; init; }
    public required uint RawDeviceMinor { get; init; }
    /// <summary>The mount the file was reached through (Linux 5.8); 0 where the kernel does not tell.</summary>
    public required ulong MountId { get; init; }

    public FileType Type => (FileType)(Mode & 0xF000);

    /// <summary>Permission bits with setuid, setgid and sticky.</summary>
    public uint Permissions => Mode & 0xFFF;

    public bool IsDirectory => Type == FileType.Directory;

    public bool IsRegular => Type == FileType.Regular;

    public bool IsSymbolicLink => Type == FileType.SymbolicLink;
}

/// <summary>The S_IFMT part of a mode.</summary>
public enum FileType : uint
{
    Fifo = 0x1000,
    CharacterDevice = 0x2000,
    Directory = 0x4000,
    BlockDevice = 0x6000,
    Regular = 0x8000,
    SymbolicLink = 0xA000,
    Socket = 0xC000,
}
