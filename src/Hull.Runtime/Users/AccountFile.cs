using System.Text;
using Hull.Linux;
using Microsoft.Win32.SafeHandles;

namespace Hull.Runtime;

/// <summary>Reads /etc/passwd or /etc/group of a container, which the container may have made into anything.</summary>
/// <remarks>
/// The path is resolved inside the root by openat2(2), so that a link leads nowhere on the host. The file is looked at through an
/// O_PATH handle before it is opened: a FIFO would block and a device may act on open (CVE-2024-9676). What is read
/// is bounded, and held one line at a time (CVE-2026-47262).
/// </remarks>
internal static class AccountFile
{
    private const int MaximumLine = 512 * 1024;
    private const long MaximumFile = 16 * 1024 * 1024;

    /// <summary>Hands every entry to <paramref name="visit"/> until that returns false.</summary>
    /// <returns>Null, or why there is no such file to read, in words that fit behind "unable to find user x: ".</returns>
    /// <exception cref="UserException">The file or one of its lines is too long.</exception>
    public static string? Read(SafeFileHandle rootfs, string path, Func<AccountEntry, bool> visit)
    {
        using SafeFileHandle? place = Files.TryOpenBeneath(
            rootfs, path, OpenFlags.Path, 0, ResolveFlags.InRoot | ResolveFlags.NoMagicLinks, out Errno errno);
        if (place is null)
        {
            return errno is Errno.ENOENT or Errno.ENOTDIR ? null : $"/{path}: {errno.Name()} ({errno.Text()})";
        }

        FileMetadata metadata = Files.Stat(place, path);
        if (!metadata.IsRegular)
        {
            return $"/{path} is not a regular file";
        }

        if (metadata.Size > MaximumFile)
        {
            throw new UserException($"/{path} of the container has {metadata.Size} bytes, more than {MaximumFile} are not read");
        }

        // The O_PATH handle pins the very file that was looked at; /proc leads to it without another walk.
        using SafeFileHandle? file = Files.TryOpenAt(
            null, $"/proc/thread-self/fd/{place.DangerousGetHandle()}", OpenFlags.ReadOnly | OpenFlags.NonBlocking | OpenFlags.NoControllingTerminal, 0, out errno);
        if (file is null)
        {
            return $"/{path}: {errno.Name()} ({errno.Text()})";
        }

        ReadLines(file, path, visit);
        return null;
    }

    private static void ReadLines(SafeFileHandle file, string path, Func<AccountEntry, bool> visit)
    {
        byte[] buffer = new byte[4096];
        int length = 0;
        long total = 0;
        while (true)
        {
            int read = Files.Read(file, buffer.AsSpan(length), path);
            total += read;
            if (total > MaximumFile)
            {
                // The file grew since it was measured.
                throw new UserException($"/{path} of the container has more than {MaximumFile} bytes, which are not read");
            }

            length += read;
            int start = 0;
            int end;
            while ((end = buffer.AsSpan(start, length - start).IndexOf((byte)'\n')) >= 0)
            {
                if (!Visit(buffer.AsSpan(start, end), visit))
                {
                    return;
                }

                start += end + 1;
            }

            if (read == 0)
            {
                _ = start < length && Visit(buffer.AsSpan(start, length - start), visit);
                return;
            }

            buffer.AsSpan(start, length - start).CopyTo(buffer);
            length -= start;
            if (length == buffer.Length)
            {
                if (length >= MaximumLine)
                {
                    throw new UserException($"/{path} of the container has a line of more than {MaximumLine} bytes");
                }

                Array.Resize(ref buffer, buffer.Length * 2);
            }
        }
    }

    private static bool Visit(ReadOnlySpan<byte> line, Func<AccountEntry, bool> visit)
    {
        string text = Encoding.UTF8.GetString(line).Trim();
        return text.Length == 0 || text[0] == '#' || visit(new AccountEntry(text));
    }
}
