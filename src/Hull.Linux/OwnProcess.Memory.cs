using System.Buffers.Text;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Hull.Linux;

/// <summary>What this process keeps in memory though it does not need it now.</summary>
public static unsafe partial class OwnProcess
{
    /// <summary>Gives back the pages of program code and constants; those that are needed again come from the page
    /// cache, a microsecond each.</summary>
    /// <remarks>The kernel maps code in runs of 16 pages around each one that is used (fault-around), so a process that has started holds
    /// most of its binary. A mapping is dropped only where the kernel says that none of its pages is a private
    /// copy (smaps: Anonymous 0) and none can become one (not writable): relocated constants stay.</remarks>
    public static void DropCode()
    {
        using SafeFileHandle file = Files.Open("/proc/self/smaps", OpenFlags.ReadOnly);
        Span<byte> buffer = stackalloc byte[4096];
        int length = 0;
        nuint start = 0;
        nuint end = 0;
        for (int n = Files.Read(file, buffer); n > 0; n = Files.Read(file, buffer[length..]))
        {
            ReadOnlySpan<byte> rest = buffer[..(length + n)];
            for (int feed = rest.IndexOf((byte)'\n'); feed >= 0; feed = rest.IndexOf((byte)'\n'))
            {
                DropCode(rest[..feed], ref start, ref end);
                rest = rest[(feed + 1)..];
            }

            // A path may be as long as the buffer; such a line is none of ours.
            length = rest.Length == buffer.Length ? 0 : rest.Length;
            rest[..length].CopyTo(buffer);
        }
    }

    /// <summary>Takes one line: remembers a mapping's bounds, and drops it when its counts say that it may be.</summary>
    private static void DropCode(ReadOnlySpan<byte> line, ref nuint start, ref nuint end)
    {
        if (TryHead(line, out nuint from, out nuint to, out bool code))
        {
            (start, end) = code ? (from, to) : (0, 0);
        }
        else if (end != 0 && line.StartsWith("Anonymous:"u8))
        {
            if (line.EndsWith(" 0 kB"u8))
            {
                // SAFETY: clean pages of a file come back as they were. An error means only that nothing was given back.
                _ = madvise((void*)start, end - start, DontNeed);
            }

            end = 0;
        }
    }

    /// <summary><c>00405000-00c11000 r-xp 00004000 00:2a 1234   /path</c>.</summary>
    private static bool TryHead(ReadOnlySpan<byte> line, out nuint start, out nuint end, out bool code)
    {
        start = end = 0;
        code = false;
        int dash = line.IndexOf((byte)'-');
        if (dash < 1 || dash > 16 || !Utf8Parser.TryParse(line, out ulong low, out int used, 'x') || used != dash)
        {
            return false;
        }

        ReadOnlySpan<byte> after = line[(dash + 1)..];
        if (!Utf8Parser.TryParse(after, out ulong high, out used, 'x') || after.Length < used + 6)
        {
            return false;
        }

        ReadOnlySpan<byte> permissions = after.Slice(used + 1, 4);
        start = (nuint)low;
        end = (nuint)high;
        code = permissions[0] == 'r' && permissions[1] == '-' && permissions[3] == 'p' && line.IndexOf((byte)'/') > 0;
        return true;
    }

    private const int DontNeed = 4;

    [LibraryImport("libc", SetLastError = true)]
    private static partial int madvise(void* address, nuint length, int advice);
}
