using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Hull.Linux;

/// <summary>memfd_create(2): a file that is nowhere but in memory and behind its descriptors, close-on-exec.</summary>
/// <remarks>Its pages count in the cgroup of whoever writes them.</remarks>
public static partial class MemoryFile
{
    private const uint CloseOnExec = 0x1;
    private const uint AllowSealing = 0x2;

    /// <param name="name">What /proc/PID/fd shows behind "/memfd:".</param>
    /// <param name="sealable">F_ADD_SEALS of fcntl(2) will be wanted.</param>
    public static SafeFileHandle Create(string name, bool sealable = false)
    {
        int fd = memfd_create(name, CloseOnExec | (sealable ? AllowSealing : 0));
        return fd >= 0 ? new SafeFileHandle(fd, ownsHandle: true) : throw SyscallException.Last("memfd_create", name);
    }

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int memfd_create(string name, uint flags);
}
