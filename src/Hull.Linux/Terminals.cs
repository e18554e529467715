using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Hull.Linux;

/// <summary>Rows and columns of a terminal, in characters.</summary>
public readonly record struct TerminalSize(ushort Rows, ushort Columns);

/// <summary>The settings of a terminal as tcgetattr(3) gave them, to be put back.</summary>
public sealed class TerminalSettings
{
    /// <summary>glibc's struct termios is 60 bytes on x86-64 and arm64.</summary>
    internal const int Bytes = 60;

    internal byte[] Native { get; } = new byte[Bytes];
}

/// <summary>Terminals and pseudo-terminals: size and line settings (ioctl_tty(2), termios(3)).</summary>
public static unsafe partial class Terminals
{
    /// <summary>isatty(3).</summary>
    public static bool IsTerminal(SafeFileHandle file) => isatty(Files.Fd(file)) == 1;

    /// <summary>TIOCGWINSZ; null where the file is no terminal.</summary>
    public static TerminalSize? TryGetSize(SafeFileHandle terminal)
    {
        ushort* size = stackalloc ushort[4];
        // SAFETY: the kernel writes one struct winsize (four shorts) into the local buffer.
        return ioctl(Files.Fd(terminal), GetWindowSize, size) == 0 ? new TerminalSize(size[0], size[1]) : null;
    }

    /// <summary>TIOCSWINSZ; on a master or a slave, the foreground process group gets SIGWINCH where the size changes.</summary>
    /// <exception cref="SyscallException">ENOTTY: not a terminal. EIO: the other side is gone.</exception>
    public static void SetSize(SafeFileHandle terminal, TerminalSize size)
    {
        ushort* native = stackalloc ushort[4];
        native[0] = size.Rows;
        native[1] = size.Columns;
        native[2] = 0;
        native[3] = 0;
        // SAFETY: the kernel reads one struct winsize from the local buffer.
        if (ioctl(Files.Fd(terminal), SetWindowSize, native) != 0)
        {
            throw SyscallException.Last("ioctl", "terminal", $"TIOCSWINSZ {size.Rows}x{size.Columns}");
        }
    }

    /// <summary>Raw mode: every key goes to the reader as it is, Ctrl-C included (cfmakeraw(3)).</summary>
    /// <returns>The settings to hand to <see cref="Restore"/>.</returns>
    public static TerminalSettings MakeRaw(SafeFileHandle terminal)
    {
        TerminalSettings before = Read(terminal);
        byte* raw = stackalloc byte[TerminalSettings.Bytes];
        before.Native.CopyTo(new Span<byte>(raw, TerminalSettings.Bytes));
        // SAFETY: glibc changes one struct termios, 60 bytes, in the local buffer, and reads it back from there.
        cfmakeraw(raw);
        return tcsetattr(Files.Fd(terminal), 0, raw) == 0 ? before : throw SyscallException.Last("tcsetattr");
    }

    /// <summary>No echo of what is typed but the line's end (ECHO and ECHONL of c_lflag, termios(3)): for a password.</summary>
    /// <returns>The settings to hand to <see cref="Restore"/>.</returns>
    public static TerminalSettings HideInput(SafeFileHandle terminal)
    {
        const int LocalFlagsOffset = 12;
        const uint Echo = 0x8;
        const uint EchoNewLine = 0x40;
        TerminalSettings before = Read(terminal);
        Span<byte> hidden = stackalloc byte[TerminalSettings.Bytes];
        before.Native.CopyTo(hidden);
        ref uint flags = ref MemoryMarshal.AsRef<uint>(hidden[LocalFlagsOffset..]);
        flags = (flags & ~Echo) | EchoNewLine;
        // SAFETY: glibc reads one struct termios from the local buffer of that size.
        fixed (byte* p = hidden)
        {
            return tcsetattr(Files.Fd(terminal), 0, p) == 0 ? before : throw SyscallException.Last("tcsetattr");
        }
    }

    private static TerminalSettings Read(SafeFileHandle terminal)
    {
        TerminalSettings settings = new();
        // SAFETY: glibc writes one struct termios, 60 bytes, into the pinned array of that size.
        fixed (byte* p = settings.Native)
        {
            return tcgetattr(Files.Fd(terminal), p) == 0 ? settings : throw SyscallException.Last("tcgetattr");
        }
    }

    /// <summary>Puts settings back at once (TCSANOW: waiting for output to drain would hang on a stopped terminal).
    /// False where the terminal is gone: nothing is left to restore.</summary>
    public static bool Restore(SafeFileHandle terminal, TerminalSettings settings)
    {
        // SAFETY: glibc reads one struct termios from the pinned array of that size.
        fixed (byte* p = settings.Native)
        {
            return tcsetattr(Files.Fd(terminal), 0, p) == 0;
        }
    }

    private const uint GetWindowSize = 0x5413;
    private const uint SetWindowSize = 0x5414;

    [LibraryImport("libc", SetLastError = true)]
    private static partial int isatty(int fd);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int ioctl(int fd, nuint request, ushort* size);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int tcgetattr(int fd, byte* settings);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int tcsetattr(int fd, int when, byte* settings);

    [LibraryImport("libc")]
    private static partial void cfmakeraw(byte* settings);
}
