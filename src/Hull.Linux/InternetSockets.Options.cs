using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Hull.Linux;

/// <summary>What a connection of tcp(7) is told besides its bytes.</summary>
public static unsafe partial class InternetSockets
{
    /// <summary>shutdown(2) SHUT_WR: the peer reads the end of the stream after what was sent before.</summary>
    /// <returns>The errno where it fails: ENOTCONN means that the connection has broken.</returns>
    public static Errno TryShutdownWrite(SafeFileHandle socket) =>
        shutdown(Files.Fd(socket), ShutdownWrite) == 0 ? Errno.None : SyscallException.LastErrno;

    /// <summary>SO_LINGER of socket(7) with no time at all: closing drops what was not sent and resets the connection.</summary>
    /// <param name="on">False: as usual, in the background and in order.</param>
    public static void SetResetOnClose(SafeFileHandle socket, bool on = true)
    {
        Linger linger = new() { On = on ? 1 : 0, Seconds = 0 };
        SetOption(socket, LevelSocket, OptionLinger, &linger, (uint)sizeof(Linger), "SO_LINGER");
    }

    /// <summary>TCP_NODELAY of tcp(7): small pieces go out as they come, not when those before have arrived.</summary>
    public static void SetNoDelay(SafeFileHandle socket) => SetOption(socket, LevelTcp, OptionNoDelay, 1, "TCP_NODELAY");

    /// <summary>SO_KEEPALIVE and TCP_KEEPIDLE of tcp(7): a peer that has gone without a word is found out, by the host's
    /// tcp_keepalive_probes and tcp_keepalive_intvl (9 and 75 s).</summary>
    /// <param name="idleSeconds">Silence before the first probe, 1 to 32767.</param>
    public static void SetKeepAlive(SafeFileHandle socket, int idleSeconds)
    {
        SetOption(socket, LevelTcp, OptionKeepIdle, idleSeconds, "TCP_KEEPIDLE");
        SetOption(socket, LevelSocket, OptionKeepAlive, 1, "SO_KEEPALIVE");
    }

    private static void SetOption(SafeFileHandle socket, int level, int option, int value, string name) =>
        SetOption(socket, level, option, &value, sizeof(int), name);

    private static void SetOption(SafeFileHandle socket, int level, int option, void* value, uint length, string name)
    {
        // SAFETY: the kernel reads length bytes from the caller's local.
        if (setsockopt(Files.Fd(socket), level, option, value, length) != 0)
        {
            throw SyscallException.Last("setsockopt", null, name);
        }
    }

    /// <summary>struct linger.</summary>
    private struct Linger
    {
        public int On;
        public int Seconds;
    }

    private const int ShutdownWrite = 1;
    private const int LevelTcp = 6;
    private const int OptionKeepAlive = 9;
    private const int OptionLinger = 13;
    private const int OptionNoDelay = 1;
    private const int OptionKeepIdle = 4;

    [LibraryImport("libc", SetLastError = true)]
    private static partial int shutdown(int fd, int how);
}
