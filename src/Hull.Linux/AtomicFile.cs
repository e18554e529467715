using System.Text;
using Microsoft.Win32.SafeHandles;

namespace Hull.Linux;

/// <summary>Replaces a file so that a reader, a kill or a power cut sees the old content or the new, never a part.</summary>
public static class AtomicFile
{
    private static long _counter;

    /// <summary>Writes a temporary file beside <paramref name="path"/>, renames it over.</summary>
    /// <param name="durable">Also syncs file and directory: for what must outlive a power cut. Costs a disk flush;
    /// state that a reboot voids anyway (under the exec root) does without.</param>
    public static void Write(string path, ReadOnlySpan<byte> content, bool durable, uint mode = 0x180)
    {
        string directory = Path.GetDirectoryName(path)!;
        // The process id and the counter keep two writers apart; leftovers of a kill are swept by the owner of the directory (Sweep).
        string temporary = Path.Combine(directory, $"new-{Environment.ProcessId}-{Interlocked.Increment(ref _counter)}-{Path.GetFileName(path)}");
        using (SafeFileHandle file = Files.Open(temporary, OpenFlags.WriteOnly | OpenFlags.Create | OpenFlags.Truncate, mode))
        {
            try
            {
                Files.Write(file, content, temporary);
                if (durable)
                {
                    Files.Sync(file, temporary);
                }
            }
            catch
            {
                Files.Unlink(null, temporary);
                throw;
            }
        }

        Files.Rename(temporary, path);
        if (durable)
        {
            using SafeFileHandle parent = Files.Open(directory, OpenFlags.ReadOnly | OpenFlags.Directory);
            Files.Sync(parent, directory);
        }
    }

    /// <summary>Removes what killed writers have left in a directory; nothing where there is none.</summary>
    /// <param name="directory">The caller holds what keeps its writers away.</param>
    /// <param name="name">Only what was to replace this file; null is any.</param>
    /// <exception cref="SyscallException">The directory cannot be read.</exception>
    public static void Sweep(string directory, string? name = null)
    {
        using SafeFileHandle? handle = Files.TryOpenAt(null, directory, OpenFlags.ReadOnly | OpenFlags.Directory, 0, out Errno errno);
        if (handle is null)
        {
            if (errno != Errno.ENOENT)
            {
                throw new SyscallException("open", directory, errno);
            }

            return;
        }

        byte[] end = name is null ? [] : Encoding.UTF8.GetBytes("-" + name);
        foreach (DirectoryEntry entry in DirectoryListing.Read(handle, directory))
        {
            if (entry.Name.AsSpan().StartsWith("new-"u8) && entry.Name.AsSpan().EndsWith(end))
            {
                _ = Files.TryUnlink(handle, entry.Name, isDirectory: false);
            }
        }
    }
}
