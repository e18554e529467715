using System.Text;
using Hull.Linux;
using Microsoft.Win32.SafeHandles;

namespace Hull.Images;

/// <summary>A <c>new-*</c> file or directory being filled, locked while its process lives. Leftovers of a killed
/// process have no lock and are swept; a <c>part-*</c> file, which another process may go on with, after a day.</summary>
internal sealed class StagingName : IDisposable
{
    private const string Prefix = "new-";
    private const string PartPrefix = "part-";
    private static readonly TimeSpan PartLifetime = TimeSpan.FromDays(1);
    private static long _counter;
    private readonly FileLock _lock;

    private StagingName(string path, FileLock held)
    {
        Path = path;
        _lock = held;
    }

    public string Path { get; }

    /// <summary>The locked file or directory; owned here.</summary>
    public SafeFileHandle Handle => _lock.Handle;

    /// <summary>A new file, open for reading and writing, mode 0600.</summary>
    public static StagingName File(string parent) => Make(parent, path => FileLock.TryAcquire(path));

    /// <summary>The file of a download that only one process at a time works on, with what another has left in it; null while
    /// another has it.</summary>
    public static StagingName? TryPart(string parent, string name)
    {
        string path = $"{parent}/{PartPrefix}{name}";
        while (FileLock.TryAcquire(path) is { } held)
        {
            // The last holder may have made it a blob, or removed it, between our opening and locking it.
            if (Files.TryStatAt(null, path, followLinks: false, out _)?.Inode == Files.Stat(held.Handle, path).Inode)
            {
                return new StagingName(path, held);
            }

            held.Dispose();
        }

        return null;
    }

    /// <summary>A new directory, mode 0700.</summary>
    public static StagingName Directory(string parent) => Make(parent, path =>
    {
        Files.MakeDirectory(null, path, 0x1c0);
        return FileLock.TryAcquireDirectory(path);
    });

    public void Dispose() => _lock.Dispose();

    /// <summary>The names of what killed processes left in <paramref name="parent"/>.</summary>
    public static IReadOnlyList<string> Leftovers(string parent)
    {
        using SafeFileHandle? directory = Files.TryOpenAt(null, parent, OpenFlags.ReadOnly | OpenFlags.Directory, 0, out _);
        if (directory is null)
        {
            return [];
        }

        using FileLock gate = FileLock.Acquire(Gate(parent));
        List<string> names = [];
        foreach (DirectoryEntry entry in DirectoryListing.Read(directory, parent).Where(entry => entry.Name.AsSpan().StartsWith("new-"u8)))
        {
            string name = Encoding.UTF8.GetString(entry.Name);
            using FileLock? held = FileLock.TryAcquireExisting($"{parent}/{name}");
            if (held is not null)
            {
                names.Add(name);
            }
        }

        return names;
    }

    /// <summary>Removes what killed processes left in <paramref name="parent"/>. Nothing where it does not exist.</summary>
    public static void Sweep(string parent)
    {
        using SafeFileHandle? directory = Files.TryOpenAt(null, parent, OpenFlags.ReadOnly | OpenFlags.Directory, 0, out _);
        if (directory is null)
        {
            return;
        }

        List<DirectoryEntry> leftovers = [.. DirectoryListing.Read(directory, parent).Where(entry =>
            entry.Name.AsSpan().StartsWith("new-"u8) || (entry.Name.AsSpan().StartsWith("part-"u8) && IsOld(directory, entry)))];
        if (leftovers.Count == 0)
        {
            return;
        }

        using FileLock gate = FileLock.Acquire(Gate(parent));
        foreach (DirectoryEntry entry in leftovers)
        {
            string path = $"{parent}/{Encoding.UTF8.GetString(entry.Name)}";
            using FileLock? held = FileLock.TryAcquireExisting(path);
            if (held is not null)
            {
                DirectoryListing.RemoveTree(directory, entry.Name, path);
            }
        }
    }

    private static bool IsOld(SafeFileHandle directory, DirectoryEntry entry) =>
        Files.TryStatAt(directory, entry.Name, out _) is { } metadata
        && DateTimeOffset.UtcNow - DateTimeOffset.FromUnixTimeSeconds(metadata.ModifiedSeconds) > PartLifetime;

    private static StagingName Make(string parent, Func<string, FileLock?> create)
    {
        // The gate closes the moment between making and locking to a sweeper.
        using FileLock gate = FileLock.Acquire(Gate(parent), shared: true);
        string path = $"{parent}/{Prefix}{Environment.ProcessId}-{Environment.TickCount64:x}-{Interlocked.Increment(ref _counter)}";
        FileLock held = create(path) ?? throw new SyscallException("flock", path, Errno.EAGAIN);
        return new StagingName(path, held);
    }

    private static string Gate(string parent) => $"{parent}/.gate";
}
