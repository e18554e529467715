using Hull.Linux;
using Hull.Linux.Cgroups;
using Microsoft.Win32.SafeHandles;

namespace Hull.Runtime.Cgroups;

/// <summary>Tells an event loop when the kernel kills in a container for memory.</summary>
/// <remarks>v2: memory.events itself, which polls as EPOLLPRI after each change. v1: an eventfd registered with
/// cgroup.event_control, which polls as EPOLLIN when the limit is hit (before the kill) and when the cgroup is removed.</remarks>
public sealed class OomWatch : IDisposable
{
    private readonly CgroupDirectory _directory;

    private OomWatch(CgroupDirectory directory, SafeFileHandle handle)
    {
        _directory = directory;
        Handle = handle;
    }

    /// <summary>Add it to epoll for EPOLLIN on v1, EPOLLPRI on v2 (see <see cref="IsPriority"/>); call <see cref="Read"/> on
    /// each event.</summary>
    public SafeFileHandle Handle { get; }

    /// <summary>Wait for EPOLLPRI alone: memory.events always is readable.</summary>
    public bool IsPriority => _directory.Hierarchy.IsUnified;

    internal static OomWatch Open(CgroupDirectory directory)
    {
        if (directory.Hierarchy.IsUnified)
        {
            OomWatch watch = new(directory, Files.OpenAt(directory.Handle, "memory.events", OpenFlags.ReadOnly));
            // kernfs reports a change only to a descriptor that has been read before.
            watch.Read();
            return watch;
        }

        using SafeFileHandle control = Files.OpenAt(directory.Handle, "memory.oom_control", OpenFlags.ReadOnly);
        SafeFileHandle counter = EventFd.Create();
        try
        {
            directory.Write("cgroup.event_control", $"{counter.DangerousGetHandle()} {control.DangerousGetHandle()}");
            return new OomWatch(directory, counter);
        }
        catch
        {
            counter.Dispose();
            throw;
        }
    }

    /// <summary>Takes the event back, so that the next one wakes the loop, and counts the kills so far.</summary>
    public ulong Read()
    {
        Span<byte> buffer = stackalloc byte[1024];
        try
        {
            if (IsPriority)
            {
                RandomAccess.Read(Handle, buffer, 0);
            }
            else
            {
                Files.Read(Handle, buffer[..8]);
            }
        }
        catch (SyscallException e) when (e.Errno == Errno.EAGAIN)
        {
            // No event was pending.
        }
        catch (IOException)
        {
            // ENODEV: the cgroup is gone, and its count with it.
            return 0;
        }

        return CountKills(_directory);
    }

    internal static ulong CountKills(CgroupDirectory directory) => directory.Hierarchy.IsUnified
        ? directory.ReadKey("memory.events", "oom_kill") ?? 0
        : directory.ReadKey("memory.oom_control", "oom_kill") ?? 0;

    public void Dispose()
    {
        Handle.Dispose();
        _directory.Dispose();
    }
}
