using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Hull.Linux;

/// <summary>The mount tree of the calling process: mount(2) and the descriptor-based calls of Linux 5.2 and later.</summary>
/// <remarks>Stateless. A mount made by <see cref="Clone"/> or <see cref="FileSystemContext"/> is detached: it belongs to no
/// tree and ends with its descriptor, so that a killed process leaves nothing to unmount.</remarks>
public static unsafe partial class Mounts
{
    public const int OpenTreeClone = 1;
    public const int AtRecursive = 0x8000;
    public const int MoveFromEmptyPath = 0x4;
    public const int MoveToEmptyPath = 0x40;

    /// <summary>mount(2).</summary>
    /// <remarks>The kernel copies one page of <paramref name="data"/> and drops the rest without an error.</remarks>
    public static void Mount(string? source, string target, string? type, MountFlags flags, string? data = null)
    {
        if (mount(source, target, type, (nuint)flags, data) != 0)
        {
            throw SyscallException.Last("mount", target, $"type={type} source={source} flags={flags} data={data}");
        }
    }

    /// <summary>umount2(2).</summary>
    public static void Unmount(string target, UnmountFlags flags)
    {
        if (umount2(target, (int)flags) != 0)
        {
            throw SyscallException.Last("umount2", target, $"flags={flags}");
        }
    }

    /// <summary>open_tree(2) with OPEN_TREE_CLONE: a detached copy of the mount at <paramref name="path"/> (a bind mount that
    /// is nowhere yet), with its submounts where <paramref name="recursive"/>.</summary>
    public static SafeFileHandle Clone(SafeFileHandle? directory, string path, bool recursive, bool followLinks = true)
    {
        int flags = OpenTreeClone | 0x80000 | (recursive ? AtRecursive : 0) | (path.Length == 0 ? Files.AtEmptyPath : 0)
            | (followLinks ? 0 : Files.AtSymlinkNoFollow);
        nint fd = open_tree(SystemCallNumbers.open_tree, Files.Fd(directory), path, flags);
        return fd >= 0 ? new SafeFileHandle((int)fd, ownsHandle: true) : throw SyscallException.Last("open_tree", path, "clone");
    }

    /// <summary>mount_setattr(2) (Linux 5.12) on the mount behind a descriptor.</summary>
    /// <param name="mount">A mount's root, detached or not.</param>
    /// <param name="set">Attributes to set.</param>
    /// <param name="clear">Attributes to clear first.</param>
    /// <param name="propagation">A propagation type, or None to leave it.</param>
    /// <param name="recursive">All mounts below as well.</param>
    /// <param name="userNamespace">With IdMapped: the namespace whose maps apply.</param>
    public static void SetAttributes(
        SafeFileHandle mount, MountAttributes set, MountAttributes clear, MountFlags propagation, bool recursive,
        SafeFileHandle? userNamespace = null, string? target = null)
    {
        MountSetting setting = new()
        {
            Set = set,
            Clear = clear,
            Propagation = (ulong)propagation,
            UserNamespace = userNamespace is null ? 0 : (ulong)Files.Fd(userNamespace),
        };
        int flags = Files.AtEmptyPath | (recursive ? AtRecursive : 0);
        // SAFETY: the kernel reads sizeof(MountSetting) bytes of a local.
        if (mount_setattr(SystemCallNumbers.mount_setattr, Files.Fd(mount), "", flags, &setting, (nuint)sizeof(MountSetting)) != 0)
        {
            throw SyscallException.Last("mount_setattr", target, $"set={set} clear={clear} propagation={propagation}");
        }
    }

    /// <summary>struct mount_attr (include/uapi/linux/mount.h).</summary>
    [StructLayout(LayoutKind.Sequential)]
    public struct MountSetting
    {
        public MountAttributes Set;
        public MountAttributes Clear;
        public ulong Propagation;
        public ulong UserNamespace;
    }

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int mount(string? source, string target, string? type, nuint flags, string? data);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int umount2(string target, int flags);

    [LibraryImport("libc", EntryPoint = "syscall", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial nint open_tree(nint number, nint directory, string path, nint flags);

    [LibraryImport("libc", EntryPoint = "syscall", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial nint mount_setattr(nint number, nint directory, string path, nint flags, MountSetting* setting, nuint size);
}
