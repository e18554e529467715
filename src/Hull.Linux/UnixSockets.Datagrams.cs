using System.Text;
using Microsoft.Win32.SafeHandles;

namespace Hull.Linux;

/// <summary>Datagram sockets of unix(7).</summary>
public static unsafe partial class UnixSockets
{
    /// <summary>A non-blocking socket that receives at <paramref name="name"/> in an open directory, from every user who can reach
    /// it. One left behind by a killed process is replaced.</summary>
    public static SafeFileHandle ReceiveDatagrams(SafeFileHandle directory, string name)
    {
        SafeFileHandle socket = New(TypeDatagram | NonBlocking);
        try
        {
            Files.Unlink(directory, name);
            Call(bind, socket, directory, name, "bind");
            // Sending wants the right to write (unix(7)), and bind(2) subtracts the umask.
            Errno errno = Files.TryChangeMode(directory, Encoding.UTF8.GetBytes(name), 0x1FF);
            return errno == Errno.None ? socket : throw new SyscallException("fchmodat", name, errno);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>A blocking socket whose datagrams go to an absolute path, or where that begins with <c>@</c> to a name of the
    /// abstract namespace.</summary>
    /// <returns>Null where nobody receives there.</returns>
    public static SafeFileHandle? TryConnectDatagrams(string address)
    {
        if (!address.StartsWith('@'))
        {
            return TryConnect(address, TypeDatagram);
        }

        SafeFileHandle socket = New(TypeDatagram);
        try
        {
            Span<byte> name = stackalloc byte[Encoding.UTF8.GetMaxByteCount(address.Length)];
            name = name[..Encoding.UTF8.GetBytes(address, name)];
            // An abstract name is as long as the address says and begins with a zero byte.
            name[0] = 0;
            Call(connect, socket, name, "connect", address, closed: false);
            return socket;
        }
        catch (SyscallException error) when (error.Errno is Errno.ECONNREFUSED)
        {
            socket.Dispose();
            return null;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private const int TypeDatagram = 2;
}
