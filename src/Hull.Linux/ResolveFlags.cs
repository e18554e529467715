namespace Hull.Linux;

/// <summary>How openat2(2) walks a path (Linux 5.6).</summary>
[Flags]
public enum ResolveFlags : ulong
{
    None = 0,
    NoCrossDevice = 0x01,
    /// <summary>Never through /proc/PID/fd/N and its like.</summary>
    NoMagicLinks = 0x02,
    NoSymlinks = 0x04,
    /// <summary>A path that leaves the directory fails with EXDEV.</summary>
    Beneath = 0x08,
    /// <summary>The directory is the root: absolute links and ".." stay inside.</summary>
    InRoot = 0x10,
}
