using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Hull.Linux;

/// <summary>One line of a poll(2) table: which descriptor, for what, and what came.</summary>
[StructLayout(LayoutKind.Sequential)]
public readonly struct PollEntry
{
    private readonly int _fd;
    private readonly short _wanted;
    /// <summary>Written by the kernel, through the table's address.</summary>
    private readonly short _came;

    /// <param name="file">Null leaves the line out: nothing ever comes. The caller keeps the handle alive.</param>
    public PollEntry(SafeFileHandle? file, PollEvents wanted)
    {
        _fd = file is null ? -1 : Files.Fd(file);
        _wanted = (short)wanted;
        _came = 0;
    }

    /// <summary>What the last <see cref="Poll.Wait"/> found; Error, HangUp and Invalid come unasked.</summary>
    public PollEvents Came => (PollEvents)(ushort)_came;
}

/// <summary>poll(2): waiting on a handful of descriptors without an epoll instance.</summary>
public static unsafe partial class Poll
{
    /// <param name="milliseconds">Below 0: without limit.</param>
    /// <returns>How many lines have something; 0 where the time ran out or a signal came.</returns>
    public static int Wait(Span<PollEntry> entries, int milliseconds)
    {
        // SAFETY: the span is pinned for the call; PollEntry has the layout of struct pollfd (8 bytes).
        fixed (PollEntry* p = entries)
        {
            int n = poll(p, (nuint)entries.Length, milliseconds);
            if (n >= 0)
            {
                return n;
            }
        }

        // After EINTR the kernel has left the results of an earlier call in place; the caller looks at the count first.
        return SyscallException.LastErrno == Errno.EINTR ? 0 : throw SyscallException.Last("poll");
    }

    [LibraryImport("libc", SetLastError = true)]
    private static partial int poll(PollEntry* entries, nuint count, int milliseconds);
}
