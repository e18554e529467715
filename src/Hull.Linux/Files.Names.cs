using System.Runtime.InteropServices;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace Hull.Linux;

/// <summary>Making, renaming and removing names; ownership, modes, links.</summary>
public static unsafe partial class Files
{
    /// <summary>mkdirat(2). False where the name exists already, whatever it is.</summary>
    public static bool MakeDirectory(SafeFileHandle? directory, string path, uint mode)
    {
        if (mkdirat(Fd(directory), path, mode) == 0)
        {
            return true;
        }

        return SyscallException.LastErrno == Errno.EEXIST ? false : throw SyscallException.Last("mkdir", path);
    }

    /// <summary>mkdir -p. Components that exist are left as they are.</summary>
    public static void MakeDirectories(string path, uint mode)
    {
        if (mkdirat(AtCurrentDirectory, path, mode) == 0)
        {
            return;
        }

        switch (SyscallException.LastErrno)
        {
            case Errno.EEXIST:
                return;
            case Errno.ENOENT when Path.GetDirectoryName(path) is { Length: > 0 } parent:
                MakeDirectories(parent, mode);
                MakeDirectory(null, path, mode);
                return;
            default:
                throw SyscallException.Last("mkdir", path);
        }
    }

    /// <summary>mknodat(2). Needs CAP_MKNOD for devices.</summary>
    public static void MakeNode(SafeFileHandle? directory, string path, FileType type, uint permissions, uint major, uint minor)
    {
        if (mknodat(Fd(directory), path, (uint)type | permissions, DeviceNumber(major, minor)) != 0)
        {
            throw SyscallException.Last("mknod", path, $"type={type} device={major}:{minor}");
        }
    }

    /// <summary>symlinkat(2).</summary>
    public static void MakeSymbolicLink(string target, SafeFileHandle? directory, string path)
    {
        if (symlinkat(target, Fd(directory), path) != 0)
        {
            throw SyscallException.Last("symlink", path, $"target={target}");
        }
    }

    /// <summary>readlinkat(2); null with the errno where it fails. Not UTF-8 in the link reads as U+FFFD.</summary>
    public static string? TryReadLink(SafeFileHandle? directory, string path, out Errno errno)
    {
        byte* buffer = stackalloc byte[4096];
        // SAFETY: the kernel writes at most the 4096 bytes of the local buffer (PATH_MAX bounds a link).
        nint n = readlinkat(Fd(directory), path, buffer, 4096);
        errno = n < 0 ? SyscallException.LastErrno : Errno.None;
        return n < 0 ? null : Encoding.UTF8.GetString(buffer, (int)n);
    }

    /// <summary>unlinkat(2). False where the name is not there.</summary>
    public static bool Unlink(SafeFileHandle? directory, string path) => UnlinkAt(directory, path, 0, "unlink");

    /// <summary>unlinkat(2) with AT_REMOVEDIR. False where the name is not there.</summary>
    public static bool RemoveDirectory(SafeFileHandle? directory, string path) =>
        UnlinkAt(directory, path, AtRemoveDirectory, "rmdir");

    /// <summary>renameat2(2) with no flags: replaces an existing <paramref name="to"/> atomically.</summary>
    public static void Rename(string from, string to) => RenameAt(null, from, null, to, RenameFlags.None);

    /// <summary>renameat2(2).</summary>
    public static void RenameAt(SafeFileHandle? fromDirectory, string from, SafeFileHandle? toDirectory, string to, RenameFlags flags)
    {
        if (renameat2(Fd(fromDirectory), from, Fd(toDirectory), to, (uint)flags) != 0)
        {
            throw SyscallException.Last("rename", from, $"to={to} flags={flags}");
        }
    }

    /// <summary>fchownat(2) on the entry itself, never through a symbolic link.</summary>
    public static void ChangeOwner(SafeFileHandle? directory, string path, uint user, uint group)
    {
        int flags = AtSymlinkNoFollow | (path.Length == 0 ? AtEmptyPath : 0);
        if (fchownat(Fd(directory), path, user, group, flags) != 0)
        {
            throw SyscallException.Last("chown", path, $"uid={user} gid={group}");
        }
    }

    /// <summary>fchmod(2).</summary>
    public static void ChangeMode(SafeFileHandle file, uint mode, string? target = null)
    {
        if (fchmod(Fd(file), mode) != 0)
        {
            throw SyscallException.Last("chmod", target, $"mode={Convert.ToString(mode, 8)}");
        }
    }

    /// <summary>The kernel's user-space encoding of a device number (glibc makedev(3)).</summary>
    public static ulong DeviceNumber(uint major, uint minor) =>
        (minor & 0xffUL) | ((major & 0xfffUL) << 8) | ((minor & ~0xffUL) << 12) | ((major & ~0xfffUL) << 32);

    private static bool UnlinkAt(SafeFileHandle? directory, string path, int flags, string operation)
    {
        if (unlinkat(Fd(directory), path, flags) == 0)
        {
            return true;
        }

        return SyscallException.LastErrno == Errno.ENOENT ? false : throw SyscallException.Last(operation, path);
    }

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int mkdirat(int directory, string path, uint mode);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int mknodat(int directory, string path, uint mode, ulong device);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int symlinkat(string target, int directory, string path);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial nint readlinkat(int directory, string path, byte* buffer, nuint size);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int unlinkat(int directory, string path, int flags);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int renameat2(int fromDirectory, string from, int toDirectory, string to, uint flags);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int fchownat(int directory, string path, uint user, uint group, int flags);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int fchmod(int fd, uint mode);
}

/// <summary>renameat2(2) flags.</summary>
[Flags]
public enum RenameFlags : uint
{
    None = 0,
    NoReplace = 1,
    Exchange = 2,
}
