using System.Buffers.Text;
using System.Globalization;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace Hull.Linux.Cgroups;

/// <summary>One cgroup in one tree: its directory, its files, its processes.</summary>
/// <remarks>Opens its directory once, on first use, and reads and writes relative to it. Not thread-safe.</remarks>
public sealed class CgroupDirectory : IDisposable
{
    // cgroup.procs of a cgroup with a million processes; everything else is a page or two.
    private const int LargestFile = 16 << 20;

    private SafeFileHandle? _handle;

    internal CgroupDirectory(CgroupHierarchy hierarchy, string path)
    {
        Hierarchy = hierarchy;
        Path = path;
        FullPath = path == "/" ? hierarchy.MountPoint : hierarchy.MountPoint + path;
    }

    public CgroupHierarchy Hierarchy { get; }

    /// <summary>Within the tree: <c>/hull/ab12…</c>.</summary>
    public string Path { get; }

    /// <summary>In the file system.</summary>
    public string FullPath { get; }

    /// <summary>The directory, O_PATH: also what CLONE_INTO_CGROUP of clone3(2) takes. Owned by this object.</summary>
    public SafeFileHandle Handle => _handle ??= Files.Open(FullPath, OpenFlags.Path | OpenFlags.Directory);

    public CgroupDirectory? Parent =>
        Path == "/" ? null : new CgroupDirectory(Hierarchy, System.IO.Path.GetDirectoryName(Path) ?? "/");

    public bool Exists => Files.TryStatAt(null, FullPath, followLinks: false, out _) is not null;

    /// <summary>mkdir(2). False where the cgroup is there already; the missing parent is the caller's (ENOENT).</summary>
    public bool TryMake(out Errno errno)
    {
        try
        {
            errno = Errno.None;
            return Files.MakeDirectory(null, FullPath, 0b111_101_101);
        }
        catch (SyscallException e) when (e.Errno == Errno.ENOENT)
        {
            errno = e.Errno;
            return false;
        }
    }

    /// <summary>Writes one value to one file with one write(2): the kernel parses each write on its own, so a split value
    /// would be two values.</summary>
    /// <returns>None, or the errno of open(2) or write(2).</returns>
    public Errno TryWrite(string file, string value)
    {
        using SafeFileHandle? handle = Files.TryOpenAt(Handle, file, OpenFlags.WriteOnly, 0, out Errno errno);
        return handle is null ? errno : TryWrite(handle, value);
    }

    /// <summary>As <see cref="TryWrite(string, string)"/>; a failure is an exception naming the file and the value.</summary>
    public void Write(string file, string value, string? hint = null)
    {
        Errno errno = TryWrite(file, value);
        if (errno != Errno.None)
        {
            throw new SyscallException("write", $"{FullPath}/{file}", errno, $"value={value.TrimEnd('\n')}", hint);
        }
    }

    /// <summary>The text of a file without its last newline.</summary>
    public string Read(string file) =>
        TryRead(file, out Errno errno) ?? throw new SyscallException("read", $"{FullPath}/{file}", errno);

    /// <summary>As <see cref="Read"/>; null with the errno where the file cannot be opened or read.</summary>
    public string? TryRead(string file, out Errno errno)
    {
        using SafeFileHandle? handle = Files.TryOpenAt(Handle, file, OpenFlags.ReadOnly, 0, out errno);
        if (handle is null)
        {
            return null;
        }

        try
        {
            return Encoding.UTF8.GetString(Files.ReadAll(handle, LargestFile, $"{FullPath}/{file}")).TrimEnd('\n');
        }
        catch (SyscallException e)
        {
            // ENODEV: the cgroup was removed while its file was open. EOPNOTSUPP: the tree's type has no such file.
            errno = e.Errno;
            return null;
        }
    }

    /// <summary>A file that holds one number; null where it is missing or says <c>max</c>.</summary>
    public ulong? ReadNumber(string file) =>
        TryRead(file, out _) is { } text && ulong.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out ulong value)
            ? value
            : null;

    /// <summary>The number behind <paramref name="key"/> in a file of <c>key value</c> lines; null where either is missing.</summary>
    public ulong? ReadKey(string file, string key)
    {
        if (TryRead(file, out _) is not { } text)
        {
            return null;
        }

        foreach (ReadOnlySpan<char> line in text.AsSpan().EnumerateLines())
        {
            if (line.Length > key.Length && line[key.Length] == ' ' && line.StartsWith(key, StringComparison.Ordinal))
            {
                return ulong.TryParse(line[(key.Length + 1)..], NumberStyles.None, CultureInfo.InvariantCulture, out ulong value) ? value : null;
            }
        }

        return null;
    }

    /// <summary>The processes of this cgroup (not of those below it), in the caller's pid namespace.</summary>
    public IReadOnlyList<int> Processes()
    {
        List<int> processes = [];
        foreach (ReadOnlySpan<char> line in (TryRead("cgroup.procs", out _) ?? "").AsSpan().EnumerateLines())
        {
            // 0 is a process of a pid namespace that the caller does not see.
            if (int.TryParse(line, NumberStyles.None, CultureInfo.InvariantCulture, out int pid) && pid != 0)
            {
                processes.Add(pid);
            }
        }

        return processes;
    }

    /// <summary>The cgroups directly below.</summary>
    public IReadOnlyList<CgroupDirectory> Children()
    {
        List<CgroupDirectory> children = [];
        try
        {
            foreach (string child in System.IO.Directory.EnumerateDirectories(FullPath))
            {
                children.Add(new CgroupDirectory(Hierarchy, (Path == "/" ? "/" : Path + "/") + System.IO.Path.GetFileName(child)));
            }
        }
        catch (DirectoryNotFoundException)
        {
            // Removed meanwhile: it has none.
        }

        return children;
    }

    /// <summary>rmdir(2), the cgroups below first.</summary>
    /// <returns>None where the cgroup is gone, EBUSY where processes are in it.</returns>
    public Errno TryRemove()
    {
        Errno errno = RemoveThis();
        if (errno is not (Errno.EBUSY or Errno.ENOTEMPTY))
        {
            return errno;
        }

        foreach (CgroupDirectory child in Children())
        {
            using (child)
            {
                if (child.TryRemove() is var inner && inner != Errno.None)
                {
                    return inner;
                }
            }
        }

        return RemoveThis();
    }

    /// <summary>One write(2) of a value to an open file.</summary>
    public static Errno TryWrite(SafeFileHandle file, string value)
    {
        Span<byte> bytes = value.Length <= 256 ? stackalloc byte[3 * value.Length] : new byte[3 * value.Length];
        int length = Encoding.UTF8.GetBytes(value, bytes);
        try
        {
            Files.Write(file, bytes[..length]);
            return Errno.None;
        }
        catch (SyscallException e)
        {
            return e.Errno;
        }
    }

    /// <summary>Moves a process into this cgroup through an open cgroup.procs or tasks.</summary>
    public static Errno TryAttach(SafeFileHandle processes, int pid)
    {
        Span<byte> text = stackalloc byte[12];
        Utf8Formatter.TryFormat(pid, text, out int length);
        try
        {
            Files.Write(processes, text[..length]);
            return Errno.None;
        }
        catch (SyscallException e)
        {
            return e.Errno;
        }
    }

    public void Dispose() => _handle?.Dispose();

    private Errno RemoveThis()
    {
        try
        {
            Files.RemoveDirectory(null, FullPath);
            return Errno.None;
        }
        catch (SyscallException e)
        {
            return e.Errno;
        }
    }
}
