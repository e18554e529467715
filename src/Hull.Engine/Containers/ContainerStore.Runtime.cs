using System.Text;
using Hull.Linux;
using Microsoft.Win32.SafeHandles;

namespace Hull.Engine.Containers;

/// <summary>What a container has under the exec root.</summary>
public sealed partial class ContainerStore
{
    /// <summary>Init of a running container, on the host: to join its namespaces.</summary>
    /// <exception cref="EngineException">Conflict: it does not run.</exception>
    public int RunningInit(ContainerId id)
    {
        ContainerStatus status = ReadStatus(id);
        return status is { State: ContainerState.Running or ContainerState.Paused, Pid: > 0 } && MonitorLock.IsHeld(_paths, id)
            ? status.Pid
            : throw EngineException.Conflict($"cannot join the namespaces of container {status.Name}: it is not running (hull start {status.Name})");
    }

    /// <summary>The directory behind /dev/shm of a shareable IPC namespace.</summary>
    /// <param name="fresh">Empty, for the start of the container that owns it.</param>
    internal string SharedMemory(ContainerId id, bool fresh)
    {
        string path = _paths.RuntimeDirectory(id) + "/shm";
        if (fresh)
        {
            DirectoryListing.RemoveTree(path);
            Files.MakeDirectories(_paths.RuntimeDirectory(id), PrivateMode);
            Files.MakeDirectory(null, path, 0x3FF);
            using SafeFileHandle directory = Files.Open(path, OpenFlags.ReadOnly | OpenFlags.Directory);
            // Whatever the umask: for every user, each keeping its own.
            Files.ChangeMode(directory, 0x3FF, path);
        }

        return path;
    }

    /// <summary>Removes the runtime files but the lock, which the caller holds.</summary>
    internal void ClearRuntime(ContainerId id)
    {
        string path = _paths.RuntimeDirectory(id);
        using SafeFileHandle? directory = Files.TryOpenAt(null, path, OpenFlags.ReadOnly | OpenFlags.Directory, 0, out _);
        if (directory is null)
        {
            return;
        }

        foreach (DirectoryEntry entry in DirectoryListing.Read(directory, path))
        {
            if (!entry.Name.AsSpan().SequenceEqual("lock"u8))
            {
                DirectoryListing.RemoveTree(directory, entry.Name, path);
            }
        }
    }

    /// <summary>In a container's runtime directory: why its monitor failed.</summary>
    internal const string LastWordsName = "last-words";

    /// <summary>What a failed monitor left as its reason; null where it left none.</summary>
    internal string? ReadLastWords(ContainerId id)
    {
        using SafeFileHandle? file = Files.TryOpenAt(null, $"{_paths.RuntimeDirectory(id)}/{LastWordsName}", OpenFlags.ReadOnly, 0, out _);
        return file is null ? null : Encoding.UTF8.GetString(Files.ReadAll(file, 64 << 10));
    }

    /// <summary>Removes the runtime directory of a container whose record is gone; the caller holds its lock.</summary>
    internal void ForgetRuntime(ContainerId id) => DirectoryListing.RemoveTree(_paths.RuntimeDirectory(id));
}
