using System.Globalization;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Hull.Linux.Netlink;

/// <summary>A network namespace, held by a descriptor: it lives at least as long as this object (network_namespaces(7)).</summary>
public sealed partial class NetworkNamespace : IDisposable
{
    private const string OfThisThread = "/proc/thread-self/ns/net";

    private readonly string _name;

    private NetworkNamespace(SafeFileHandle handle, string name)
    {
        Handle = handle;
        _name = name;
    }

    /// <summary>Owned by this object.</summary>
    public SafeFileHandle Handle { get; }

    /// <summary>The calling thread's.</summary>
    public static NetworkNamespace Current() => Open(OfThisThread);

    /// <summary>A process's. The caller makes sure that the pid is still that process's: it is a child, or held by a pidfd.</summary>
    /// <exception cref="SyscallException">ENOENT where there is no such process.</exception>
    public static NetworkNamespace OfProcess(int pid) => Open(string.Create(CultureInfo.InvariantCulture, $"/proc/{pid}/ns/net"));

    /// <summary>By its file: <c>/proc/PID/ns/net</c>, <c>/run/netns/NAME</c>.</summary>
    /// <exception cref="SyscallException">As of open(2); of setns(2), EINVAL, at the first use, where the file is no network namespace.</exception>
    public static NetworkNamespace Open(string path) => new(Files.Open(path, OpenFlags.ReadOnly), path);

    /// <summary>A new one, with nothing in it but a loopback device that is down. It ends when nothing holds it.</summary>
    /// <exception cref="SyscallException">EPERM without CAP_SYS_ADMIN.</exception>
    public static NetworkNamespace New()
    {
        using NetworkNamespace home = Current();
        if (unshare((int)CloneFlags.NewNetwork) != 0)
        {
            throw SyscallException.Last("unshare", "network namespace");
        }

        try
        {
            return Current();
        }
        finally
        {
            home.Enter();
        }
    }

    /// <summary>Does something in this namespace and comes back: makes a socket, writes a file of /proc/sys/net.</summary>
    /// <remarks>setns(2) moves one thread, and everything that thread does until it is back: so no await and no other thread's work
    /// inside. A socket belongs to the namespace that it was made in, whoever uses it later.</remarks>
    /// <exception cref="SyscallException">EPERM without CAP_SYS_ADMIN over the namespace.</exception>
    public T Within<T>(Func<T> work)
    {
        using NetworkNamespace home = Current();
        Enter();
        try
        {
            return work();
        }
        finally
        {
            home.Enter();
        }
    }

    /// <inheritdoc cref="Within{T}"/>
    public void Within(Action work) => Within(() =>
    {
        work();
        return true;
    });

    public void Dispose() => Handle.Dispose();

    public override string ToString() => _name;

    private void Enter()
    {
        if (setns(Files.Fd(Handle), (int)CloneFlags.NewNetwork) != 0)
        {
            throw SyscallException.Last("setns", _name);
        }
    }

    [LibraryImport("libc", SetLastError = true)]
    private static partial int setns(int fd, int type);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int unshare(int flags);
}
