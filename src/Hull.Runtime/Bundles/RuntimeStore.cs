using System.Text.Json;
using Hull.Linux;
using Microsoft.Win32.SafeHandles;

namespace Hull.Runtime.Bundles;

/// <summary>The OCI runtime's root directory: one directory a container, <c>state.json</c>, the <c>config.json</c> that it was made
/// from and, until it is started, <c>exec.fifo</c>. Void after a reboot.</summary>
/// <remarks>A container's directory is locked by flock(2) on its <c>lock</c> file for each operation that changes it. While the
/// container is being made there is a word in that file: who finds it beside the lock does not wait, for it may be one of the
/// container's hooks, for which its maker waits.</remarks>
public sealed class RuntimeStore
{
    private const string StateFile = "state.json";
    private const string FifoFile = "exec.fifo";
    private const string StartReportFile = "start.fifo";

    /// <summary>As large as a config.json may be: annotations and hooks come from there.</summary>
    private const int LargestState = 16 << 20;

    private const string LockFile = "lock";
    private readonly string _root;

    /// <param name="root">Relative to the current directory, of which the container's mounts know nothing.</param>
    public RuntimeStore(string root) => _root = Path.GetFullPath(root);

    /// <summary>Claims an id: makes its directory and takes its lock. The container is being made until <see cref="Made"/>.</summary>
    /// <exception cref="ContainerException">The id is malformed or in use.</exception>
    public FileLock Claim(string id)
    {
        CheckId(id);
        Files.MakeDirectories(_root, 0x1C0);
        string directory = DirectoryOf(id);
        if (!Files.MakeDirectory(null, directory, 0x1C0))
        {
            throw new ContainerException(ContainerFault.Engine, $"container with id exists: {id}");
        }

        FileLock held = FileLock.Acquire(LockOf(id));
        try
        {
            Files.WriteAt(held.Handle, "creating"u8, 0, LockFile);
            return held;
        }
        catch
        {
            held.Dispose();
            throw;
        }
    }

    /// <summary>The container is whole: others may wait for the lock.</summary>
    public static void Made(FileLock claim) => Descriptors.Truncate(claim.Handle, 0, LockFile);

    /// <summary>Whether somebody is still making it. What a killed maker has left is not being made.</summary>
    public bool IsBeingMade(string id) =>
        Files.TryStatAt(null, LockOf(id), followLinks: false, out _) is { Size: > 0 } && FileLock.IsHeldExclusively(LockOf(id));

    /// <summary>Locks an existing container.</summary>
    /// <param name="state">As it is under the lock.</param>
    /// <exception cref="ContainerException">There is no such container, or it is still being made.</exception>
    public FileLock Lock(string id, out ContainerState state)
    {
        CheckId(id);
        if (IsBeingMade(id))
        {
            throw BeingMade(id);
        }

        FileLock held;
        try
        {
            held = FileLock.Acquire(LockOf(id));
        }
        catch (SyscallException error) when (error.Errno is Errno.ENOENT or Errno.ENOTDIR)
        {
            throw Missing(id);
        }

        try
        {
            state = Load(id);
            // Of a maker that was killed: from now on the lock is ours.
            Made(held);
            return held;
        }
        catch
        {
            held.Dispose();
            throw;
        }
    }

    /// <summary>Whether there is a container of that name, as opposed to none or one that is being made.</summary>
    public bool Exists(string id)
    {
        CheckId(id);
        return Has(id, StateFile);
    }

    /// <summary>Removes the directory of a create that was killed; one that is at work holds the lock and is left alone.</summary>
    public void RemoveUnfinished(string id)
    {
        if (Files.TryStatAt(null, DirectoryOf(id), followLinks: false, out _) is null)
        {
            return;
        }

        using FileLock? held = FileLock.TryAcquire(LockOf(id));
        if (held is not null && !Has(id, StateFile))
        {
            Remove(id);
        }
    }

    /// <summary>Keeps the bundle's config.json. Not renamed into place: without <c>state.json</c>, which follows, nobody reads it.</summary>
    public void SaveSpec(string id, ReadOnlySpan<byte> text)
    {
        string path = Path.Combine(DirectoryOf(id), BundleSpec.FileName);
        using SafeFileHandle file = Files.Open(path, OpenFlags.WriteOnly | OpenFlags.Create | OpenFlags.Exclusive, 0x180);
        Files.Write(file, text, path);
    }

    public void Save(ContainerState state) => AtomicFile.Write(
        Path.Combine(DirectoryOf(state.Id), StateFile),
        ContainerStateCodec.Write(state),
        durable: false);

    /// <exception cref="ContainerException">There is no such container.</exception>
    public ContainerState Load(string id)
    {
        CheckId(id);
        string path = Path.Combine(DirectoryOf(id), StateFile);
        using SafeFileHandle? file = Files.TryOpenAt(null, path, OpenFlags.ReadOnly, 0, out Errno errno);
        if (file is null)
        {
            throw errno is Errno.ENOENT or Errno.ENOTDIR
                ? Missing(id)
                : new SyscallException("open", path, errno);
        }

        try
        {
            return ContainerStateCodec.Read(Files.ReadAll(file, LargestState, path));
        }
        catch (JsonException error)
        {
            throw new ContainerException(ContainerFault.Engine, $"{path} is damaged: {error.Message}", error);
        }
    }

    /// <summary>The gate between create and start, opened for both directions so that neither side blocks on opening it.</summary>
    public SafeFileHandle MakeFifo(string id) => MakeFifo(id, FifoFile);

    /// <summary>Where a created container tells what went wrong when it was started, opened for both directions as the gate is.</summary>
    public SafeFileHandle MakeStartReport(string id) => MakeFifo(id, StartReportFile);

    /// <summary>The reader's end of it; null for a container that was not created but run.</summary>
    public SafeFileHandle? OpenStartReport(string id)
    {
        string path = Path.Combine(DirectoryOf(id), StartReportFile);
        return Files.TryOpenAt(null, path, OpenFlags.ReadOnly | OpenFlags.NonBlocking, 0, out Errno errno)
            ?? (errno == Errno.ENOENT ? null : throw new SyscallException("open", path, errno));
    }

    private SafeFileHandle MakeFifo(string id, string name)
    {
        string path = Path.Combine(DirectoryOf(id), name);
        Files.MakeNode(null, path, FileType.Fifo, 0x180, 0, 0);
        return Files.Open(path, OpenFlags.ReadWrite);
    }

    /// <summary>Opens the gate of a created container; false where it was started before.</summary>
    public bool OpenGate(string id)
    {
        string path = Path.Combine(DirectoryOf(id), FifoFile);
        // ENXIO: nobody reads, the first process is gone.
        using SafeFileHandle? fifo = Files.TryOpenAt(null, path, OpenFlags.WriteOnly | OpenFlags.NonBlocking, 0, out Errno errno);
        if (fifo is null)
        {
            return errno is Errno.ENOENT or Errno.ENXIO ? false : throw new SyscallException("open", path, errno);
        }

        Files.Write(fifo, [1], path);
        Files.Unlink(null, path);
        return true;
    }

    /// <summary>Makes the directory of a container's socket towards a service manager, see <see cref="NotifyProxy"/>.</summary>
    internal string MakeNotifyDirectory(string id)
    {
        string path = NotifyDirectory(id);
        Files.MakeDirectory(null, path, 0x1ED);
        // Whatever our umask: every user of the container goes through it.
        using SafeFileHandle directory = Files.Open(path, OpenFlags.ReadOnly | OpenFlags.Directory);
        Files.ChangeMode(directory, 0x1ED, path);
        return path;
    }

    internal string NotifyDirectory(string id) => Path.Combine(DirectoryOf(id), "notify");

    /// <summary>Whether the container was created with one.</summary>
    internal bool HasNotifyDirectory(string id) => Has(id, "notify");

    public bool HasGate(string id) => Has(id, FifoFile);

    public void Remove(string id)
    {
        string directory = DirectoryOf(id);
        NotifyProxy.Remove(NotifyDirectory(id));
        foreach (string file in (ReadOnlySpan<string>)[FifoFile, StartReportFile, StateFile, BundleSpec.FileName, LockFile])
        {
            Files.Unlink(null, Path.Combine(directory, file));
        }

        Files.RemoveDirectory(null, directory);
    }

    /// <summary>Ids of all containers, in no order.</summary>
    public IReadOnlyList<string> List() => Directory.Exists(_root)
        ? [.. Directory.EnumerateDirectories(_root).Select(d => Path.GetFileName(d)!).Where(id => File.Exists(Path.Combine(DirectoryOf(id), StateFile)))]
        : [];

    /// <summary>Where a container's files are.</summary>
    internal string DirectoryOf(string id) => Path.Combine(_root, id);

    private string LockOf(string id) => Path.Combine(DirectoryOf(id), LockFile);

    private bool Has(string id, string file) => Files.TryStatAt(null, Path.Combine(DirectoryOf(id), file), followLinks: false, out _) is not null;

    /// <summary>For what cannot be done yet.</summary>
    public static ContainerException BeingMade(string id) => new(ContainerFault.Engine,
        $"container {id} is being created: try again when create has returned, not from a hook that it waits for");

    private static ContainerException Missing(string id) => new(ContainerFault.Engine, $"container does not exist: {id}");

    /// <summary>runc's rule: letters, digits and _ + - . @, not "." or "..", so that an id is a file name.</summary>
    private static void CheckId(string id)
    {
        bool valid = id.Length is > 0 and <= 1024 && id is not ("." or "..");
        foreach (char c in id)
        {
            valid &= char.IsAsciiLetterOrDigit(c) || c is '_' or '+' or '-' or '.' or '@';
        }

        if (!valid || id.Length > 255)
        {
            string shown = id.Length > 80 ? id[..80] + "…" : id;
            throw new ContainerException(ContainerFault.Engine, $"invalid container id '{shown}': use at most 255 letters, digits and _ + - . @");
        }
    }
}
