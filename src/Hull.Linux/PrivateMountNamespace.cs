using System.Runtime.InteropServices;

namespace Hull.Linux;

/// <summary>A mount namespace of this process's own, entered at most once; for single-threaded processes.</summary>
public static partial class PrivateMountNamespace
{
    private static bool _entered;

    /// <summary>unshare(2) with CLONE_NEWNS. Mounts made afterwards are invisible to the host and end with the process.</summary>
    public static void Enter()
    {
        if (_entered)
        {
            return;
        }

        if (unshare((int)CloneFlags.NewMount) != 0)
        {
            throw SyscallException.Last("unshare", "mount namespace");
        }

        // Slave, not private: an unmount on the host must still reach us, or we pin what the host wants to free.
        Mounts.Mount(null, "/", null, MountFlags.Slave | MountFlags.Recursive);
        _entered = true;
    }

    [LibraryImport("libc", SetLastError = true)]
    private static partial int unshare(int flags);
}
