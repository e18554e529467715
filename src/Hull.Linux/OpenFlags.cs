namespace Hull.Linux;

/// <summary>open(2) flags with the numbers of x86-64; <see cref="Files"/> maps those that differ on arm64.</summary>
[Flags]
public enum OpenFlags
{
    ReadOnly = 0,
    WriteOnly = 1,
    ReadWrite = 2,
    Create = 0x40,
    Exclusive = 0x80,
    NoControllingTerminal = 0x100,
    Truncate = 0x200,
    Append = 0x400,
    NonBlocking = 0x800,
    Directory = 0x10000,
    NoFollow = 0x20000,
    CloseOnExec = 0x80000,
    Path = 0x200000,
    /// <summary>O_TMPFILE: an unnamed file in the directory named.</summary>
    TemporaryFile = 0x410000,
}
