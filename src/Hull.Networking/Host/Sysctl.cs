using System.Text;
using Hull.Linux;
using Microsoft.Win32.SafeHandles;

namespace Hull.Networking.Host;

/// <summary>Settings below /proc/sys/net, of the calling thread's network namespace (proc_sys_net(5)).</summary>
internal static class Sysctl
{
    /// <param name="name">With slashes: <c>ipv4/ip_forward</c>.</param>
    /// <returns>Null where this kernel does not have it, as without IPv6.</returns>
    public static string? Read(string name)
    {
        string path = PathOf(name);
        using SafeFileHandle? file = Files.TryOpenAt(null, path, OpenFlags.ReadOnly, 0, out Errno errno);
        return file is not null ? Encoding.ASCII.GetString(Files.ReadAll(file, 256, path)).Trim()
            : errno == Errno.ENOENT ? null
            : throw new SyscallException("open", path, errno);
    }

    /// <summary>Writes where the value is another; nothing where this kernel does not have the setting.</summary>
    /// <exception cref="SyscallException">EROFS where the host's /proc/sys is read-only, as in a container.</exception>
    public static void Set(string name, string value)
    {
        string? now = Read(name);
        if (now is null || now == value)
        {
            return;
        }

        string path = PathOf(name);
        using SafeFileHandle file = Files.Open(path, OpenFlags.WriteOnly);
        Files.Write(file, Encoding.ASCII.GetBytes(value), path);
    }

    private static string PathOf(string name) => "/proc/sys/net/" + name;
}
