using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Hull.Linux;

/// <summary>eventfd(2): a counter that an event loop can wait for.</summary>
public static partial class EventFd
{
    private const int CloseOnExec = 0x80000;
    private const int NonBlocking = 0x800;

    /// <summary>A counter at 0, non-blocking.</summary>
    public static SafeFileHandle Create()
    {
        int fd = eventfd(0, CloseOnExec | NonBlocking);
        return fd >= 0 ? new SafeFileHandle(fd, ownsHandle: true) : throw SyscallException.Last("eventfd");
    }

    [LibraryImport("libc", SetLastError = true)]
    private static partial int eventfd(uint initial, int flags);
}
