using Hull.Linux;
using Microsoft.Win32.SafeHandles;

namespace Hull.Networking.Ports;

/// <summary>A pipe between two sockets, both ends non-blocking.</summary>
internal sealed class RelayPipe : IDisposable
{
    /// <summary>Bytes asked for at once. The pipe has 16 places (pipe(7)), each for a piece of a packet of up to 32 KiB.</summary>
    public const int Capacity = 1 << 20;

    private RelayPipe((SafeFileHandle Read, SafeFileHandle Write) ends) => (Read, Write) = ends;

    public SafeFileHandle Read { get; }

    public SafeFileHandle Write { get; }

    /// <returns>Null where there are no descriptors for it.</returns>
    public static RelayPipe? TryMake()
    {
        try
        {
            return new RelayPipe(Descriptors.Pipe(nonBlocking: true));
        }
        catch (SyscallException e) when (e.Errno is Errno.EMFILE or Errno.ENFILE or Errno.ENOMEM)
        {
            return null;
        }
    }

    public void Dispose()
    {
        Read.Dispose();
        Write.Dispose();
    }
}
