using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Hull.Linux;

/// <summary>What inotify(7) watches for.</summary>
[Flags]
public enum WatchEvents : uint
{
    Modified = 0x2,
    MovedFrom = 0x40,
    MovedTo = 0x80,
    Created = 0x100,
    Deleted = 0x200,
}

/// <summary>inotify(7): changes of files as a readable descriptor.</summary>
public static partial class Inotify
{
    /// <summary>A non-blocking inotify descriptor that watches one file or directory.</summary>
    public static SafeFileHandle Watch(string path, WatchEvents events)
    {
        int fd = inotify_init1((int)OpenFlags.CloseOnExec | (int)OpenFlags.NonBlocking);
        if (fd < 0)
        {
            throw SyscallException.Last("inotify_init1", null, null);
        }

        SafeFileHandle handle = new(fd, ownsHandle: true);
        if (inotify_add_watch(fd, path, (uint)events) < 0)
        {
            SyscallException error = SyscallException.Last("inotify_add_watch", path);
            handle.Dispose();
            throw error;
        }

        return handle;
    }

    /// <summary>Reads and drops what has come: for a caller that only needs the wake-up.</summary>
    public static void Drain(SafeFileHandle descriptor)
    {
        Span<byte> buffer = stackalloc byte[4096];
        while (Descriptors.TryRead(descriptor, buffer, out Errno errno) > 0 || errno == Errno.EINTR)
        {
        }
    }

    [LibraryImport("libc", SetLastError = true)]
    private static partial int inotify_init1(int flags);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int inotify_add_watch(int fd, string path, uint events);
}
