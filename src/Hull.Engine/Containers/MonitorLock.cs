using Hull.Linux;

namespace Hull.Engine.Containers;

/// <summary>The flock that a monitor holds for its life, and others for the moments in which no monitor may appear.</summary>
/// <remarks>The file stays until its container is removed, so that nobody waits on a lock whose name is gone; a removal
/// deletes it last, and whoever gets such an orphaned lock finds the container's record gone.</remarks>
public static class MonitorLock
{
    /// <summary>Waits for the lock; makes the runtime directory where it is missing (first start, or after a reboot).</summary>
    public static FileLock Acquire(HullPaths paths, ContainerId id)
    {
        Files.MakeDirectories(paths.RuntimeDirectory(id), 0x1C0);
        return FileLock.Acquire(paths.MonitorLock(id));
    }

    /// <summary>The lock, or null where a monitor lives.</summary>
    public static FileLock? TryAcquire(HullPaths paths, ContainerId id)
    {
        Files.MakeDirectories(paths.RuntimeDirectory(id), 0x1C0);
        return FileLock.TryAcquire(paths.MonitorLock(id));
    }

    /// <summary>Whether a monitor lives. Makes nothing; a shared lock is taken for a moment, which readers do not notice
    /// from each other and a starting monitor waits for.</summary>
    public static bool IsHeld(HullPaths paths, ContainerId id) => FileLock.IsHeldExclusively(paths.MonitorLock(id));
}
