using Hull.Linux;

namespace Hull.Runtime.Cgroups;

/// <summary>A cgroup or a limit that this host cannot give, in words that say what is missing and what to do.</summary>
public sealed class CgroupException : Exception
{
    public CgroupException(string message, Exception? inner = null)
        : base(message, inner)
    {
    }

    /// <summary>What the kernel said, None where it was not asked.</summary>
    public Errno Errno => (InnerException as SyscallException)?.Errno ?? Errno.None;
}
