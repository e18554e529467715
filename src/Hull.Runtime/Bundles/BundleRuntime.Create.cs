using Hull.Linux;
using Hull.Oci.RuntimeSpec;
using Hull.Runtime.Cgroups;
using Hull.Runtime.Init;
using Hull.Runtime.Systemd;
using Microsoft.Win32.SafeHandles;

namespace Hull.Runtime.Bundles;

/// <summary>From a bundle to a container.</summary>
public sealed partial class BundleRuntime
{
    /// <summary>Makes the container; its payload waits for <see cref="Start"/>.</summary>
    public void Create(CreateOptions options)
    {
        using FileLock claim = _store.Claim(options.Id);
        using Undo undo = NewUndo(options.Id);
        using SafeFileHandle fifo = _store.MakeFifo(options.Id);
        Launch(options, fifo, undo);
        RuntimeStore.Made(claim);
        undo.Commit();
    }

    /// <summary>Create, start and wait; the container is removed when it has ended, but for <see cref="CreateOptions.Keep"/>.</summary>
    /// <returns>The payload's exit code, 128 + N where signal N ended it.</returns>
    public int Run(CreateOptions options, Func<RunningContainer, NotifyProxy?, int> wait)
    {
        using FileLock claim = _store.Claim(options.Id);
        using Undo undo = NewUndo(options.Id);
        LaunchedBundle launched = Launch(options, null, undo);
        using NotifyProxy? notify = OpenNotify(options.Id, options.NotifySocket);
        launched.Container.Start();
        RuntimeStore.Made(claim);
        // The container is made: a poststart hook may exec into it, which takes this lock.
        claim.Dispose();
        BundleHooks.Poststart(launched.State, Warn);
        if (options.Detach)
        {
            undo.Commit();
            notify?.WaitUntilReady(launched.Container.PidFd, launched.Container.Pid);
            return 0;
        }

        int code = wait(launched.Container, notify);
        if (options.Keep)
        {
            undo.Commit();
        }

        return code;
    }

    /// <summary>For a container whose directory was claimed.</summary>
    private Undo NewUndo(string id)
    {
        Undo undo = new(failure => Warn($"left behind: {failure.Message}"));
        undo.Push(() => _store.Remove(id));
        return undo;
    }

    private LaunchedBundle Launch(CreateOptions options, SafeFileHandle? fifo, Undo undo)
    {
        Spec spec = Read(options, out byte[] text);
        ScopeName? scope = ScopeOf(spec, options.Id);
        ContainerState state = NewState(spec, options.Id, options.Bundle, scope) with { CallersKeyring = options.CallersKeyring };
        BundleHooks.Check(state);
        undo.Push(() => BundleHooks.Poststop(state, Warn));
        using ScopeKeeper? keeper = scope is null ? null : ScopeKeeper.Start();
        ContainerCgroup cgroup = undo.Own(MakeCgroup(scope, state, keeper, spec.Linux?.Resources, undo));
        bool ended = false;
        undo.Push(() =>
        {
            // In a pid namespace of its own everything ends with the first process (pid_namespaces(7)).
            if (!ended || !NamespacePlan.MakesPid(spec.Linux))
            {
                cgroup.Kill();
            }

            cgroup.Delete();
        });
        cgroup.Apply(spec.Linux?.Resources);
        cgroup.PrepareAttach();
        using SafeFileHandle? startReport = fifo is null ? null : _store.MakeStartReport(options.Id);
        RunningContainer container = undo.Own(ContainerLauncher.Create(new ContainerRequest
        {
            Id = options.Id,
            Spec = spec,
            Bundle = options.Bundle,
            Rootfs = new RootfsSource.Directory(state.Rootfs),
            CgroupHost = Host,
            CgroupPath = state.CgroupPath,
            CloneIntoCgroup = cgroup.CloneTarget,
            SelfAttach = cgroup.SelfAttach,
            StartGate = fifo,
            StartReport = startReport,
            ConsoleSocket = options.ConsoleSocket,
            PreserveFds = options.PreserveFds,
            CallersKeyring = options.CallersKeyring,
            // On disk while the child makes its mounts. Who reads it too early finds our lock.
            Born = pid =>
            {
                keeper?.Dispose();
                state = state with { Pid = pid, StartTime = ProcessStat.TryRead(pid)?.StartTicks ?? 0 };
                _store.SaveSpec(options.Id, text);
                _store.Save(state);
            },
        }));
        undo.Push(() =>
        {
            ended = container.HasEnded;
            PidFd.SendSignal(container.PidFd, SigKill);
        });
        if (options.PidFdSocket is { } socket)
        {
            PidFdMessage.Send(socket, container, first: true);
        }

        PidFile.Write(options.PidFile, container.Pid);
        return new LaunchedBundle(container, state);
    }

    /// <summary>The bundle's spec with what the caller adds to it.</summary>
    /// <param name="text">As it is in the bundle.</param>
    private Spec Read(CreateOptions options, out byte[] text)
    {
        Spec spec = options.WithActivation(BundleSpec.WithSourcesOf(BundleSpec.Read(options.Bundle, out text), options.Bundle));
        TerminalRule.Check(spec.Process?.Terminal == true, options.ConsoleSocket is not null, options.Detach);
        return options.NotifySocket is null ? spec : NotifyProxy.Tell(spec, _store.MakeNotifyDirectory(options.Id));
    }

    /// <summary>Before its first process is born.</summary>
    private static ContainerState NewState(Spec spec, string id, string bundle, ScopeName? scope) => new()
    {
        Id = id,
        OciVersion = spec.OciVersion,
        Bundle = bundle,
        Rootfs = Path.Combine(bundle, spec.Root?.Path ?? throw new ContainerException(ContainerFault.Engine, "root: the spec has no root filesystem")),
        Pid = 0,
        StartTime = 0,
        CgroupPath = scope?.CgroupPath ?? ContainerCgroup.Resolve(spec.Linux?.CgroupsPath, id),
        SystemdUnit = scope?.Unit,
        Created = DateTimeOffset.UtcNow,
        Annotations = spec.Annotations,
        Hooks = spec.Hooks,
    };
}
