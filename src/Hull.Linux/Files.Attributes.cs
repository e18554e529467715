using Microsoft.Win32.SafeHandles;

namespace Hull.Linux;

/// <summary>File attributes of ext4 and its like (ioctl_iflags(2), chattr(1)).</summary>
public static unsafe partial class Files
{
    /// <summary>FS_TOPDIR_FL, <c>chattr +T</c>: the subdirectories of this directory have nothing to do with each other, so the file
    /// system spreads them over its block groups. False where it has no such attribute, which is as good: it is a hint.</summary>
    public static bool TrySpreadSubdirectories(string path)
    {
        using SafeFileHandle? directory = TryOpenAt(null, path, OpenFlags.ReadOnly | OpenFlags.Directory, 0, out _);
        if (directory is null)
        {
            return false;
        }

        // SAFETY: the kernel reads and writes one int behind the pointer, whatever the type in the request's number says (ioctl_iflags(2)).
        int flags = 0;
        nint descriptor = directory.DangerousGetHandle();
        if (RawSyscall.Invoke(SystemCallNumbers.ioctl, descriptor, GetAttributes, (nint)(&flags)) != 0)
        {
            return false;
        }

        flags |= TopDirectory;
        return RawSyscall.Invoke(SystemCallNumbers.ioctl, descriptor, SetAttributes, (nint)(&flags)) == 0;
    }

    /// <summary>FS_IOC_GETFLAGS and FS_IOC_SETFLAGS (include/uapi/linux/fs.h) on 64-bit kernels.</summary>
    private static readonly nint GetAttributes = unchecked((nint)0x80086601);
    private static readonly nint SetAttributes = 0x40086602;
    private const int TopDirectory = 0x00020000;
}
