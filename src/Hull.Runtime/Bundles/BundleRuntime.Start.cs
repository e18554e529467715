using Hull.Linux;
using Hull.Runtime.Init;
using Microsoft.Win32.SafeHandles;

namespace Hull.Runtime.Bundles;

/// <summary>Starting what was created.</summary>
public sealed partial class BundleRuntime
{
    /// <summary>Lets a created container's payload execute.</summary>
    /// <param name="notifySocket">See <see cref="CreateOptions.NotifySocket"/>: waits until the payload is ready or has ended.</param>
    public void Start(string id, string? notifySocket = null)
    {
        using FileLock held = _store.Lock(id, out ContainerState state);
        using SafeFileHandle? process = PidFd.TryOpen(state.Pid);
        // A running one's socket may be in use by the start that waits for it.
        using NotifyProxy? notify = _store.HasGate(id) ? OpenNotify(id, notifySocket) : null;
        using SafeFileHandle? report = _store.OpenStartReport(id);
        // Before it may end: what is there when its execve fails is looked at through its root. EACCES: a host whose root may not look
        // into a process that is not dumpable (no CAP_SYS_PTRACE); ENOENT: it has ended. Then an error tells less.
        using SafeFileHandle? root = Files.TryOpenAt(null, $"/proc/{state.Pid}/root", OpenFlags.Path | OpenFlags.Directory, 0, out _);
        if (!_store.OpenGate(id))
        {
            throw new ContainerException(ContainerFault.Engine, Status(state) == "stopped"
                ? $"cannot start a container that has stopped: {id}"
                : $"cannot start an already running container: {id}");
        }

        // From here on others may act on it: a paused one's start waits until it is resumed, a poststart hook may exec into it.
        held.Dispose();
        if (report is not null && StartReport.Wait(report, () => BundleSpec.WithSourcesOf(SpecOf(id), state.Bundle), root) is { } failure)
        {
            AwaitEnd(process);
            if (failure.OfHook)
            {
                DestroyUnlessGone(id);
            }

            throw failure.Error;
        }

        BundleHooks.Poststart(state, Warn);
        if (process is not null)
        {
            notify?.WaitUntilReady(process, state.Pid);
        }
    }

    /// <summary>runtime.md, lifecycle 7: a failed startContainer hook ends the container and all that was made for it.</summary>
    private void DestroyUnlessGone(string id)
    {
        if (_store.Exists(id))
        {
            using FileLock held = _store.Lock(id, out ContainerState state);
            Destroy(state);
        }
    }

    /// <summary>It has told of its failure and is about to exit; whoever asks for the state next finds it stopped.</summary>
    private static void AwaitEnd(SafeFileHandle? process)
    {
        Span<PollEntry> entries = [new(process, PollEvents.Readable)];
        while (process is not null && Poll.Wait(entries, -1) == 0)
        {
            // A signal came, see Poll.
        }
    }

    /// <summary>Null too where the container was created without: it would never say that it is ready.</summary>
    private NotifyProxy? OpenNotify(string id, string? manager) =>
        manager is not null && _store.HasNotifyDirectory(id) ? NotifyProxy.Open(_store.NotifyDirectory(id), manager, Warn) : null;
}
