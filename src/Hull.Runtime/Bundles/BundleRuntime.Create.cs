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
        using BundleGround ground = NewGround(spec, options.Id, options.Bundle, options.CallersKeyring);
        ContainerCgroup cgroup = MakeCgroup(ground, spec.Linux?.Resources, undo);
        cgroup.PrepareAttach();
        using SafeFileHandle? startReport = fifo is null ? null : _store.MakeStartReport(options.Id);
        RunningContainer container = undo.Own(ContainerLauncher.Create(new ContainerRequest
        {
            Id = options.Id,
            Spec = spec,
            Bundle = options.Bundle,
            Rootfs = new RootfsSource.Directory(ground.State.Rootfs),
            CgroupHost = Host,
            CgroupPath = ground.State.CgroupPath,
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
                ContainerState state = ground.Born(pid);
                _store.SaveSpec(options.Id, text);
                _store.Save(state);
            },
        }));
        undo.Push(() =>
        {
            // pid_namespaces(7): with the first process of one end all others.
            ground.IsEmpty = container.HasEnded && NamespacePlan.MakesPid(spec.Linux);
            PidFd.SendSignal(container.PidFd, SigKill);
        });
        if (options.PidFdSocket is { } socket)
        {
            PidFdMessage.Send(socket, container, first: true);
        }

        PidFile.Write(options.PidFile, container.Pid);
        return new LaunchedBundle(container, ground.State);
    }

    /// <summary>The bundle's spec with what the caller adds to it.</summary>
    /// <param name="text">As it is in the bundle.</param>
    private Spec Read(CreateOptions options, out byte[] text)
    {
        Spec spec = options.WithActivation(BundleSpec.WithSourcesOf(BundleSpec.Read(options.Bundle, out text), options.Bundle));
        TerminalRule.Check(spec.Process?.Terminal == true, options.ConsoleSocket is not null, options.Detach);
        return options.NotifySocket is null ? spec : NotifyProxy.Tell(spec, _store.MakeNotifyDirectory(options.Id));
    }

    /// <exception cref="ContainerException">The spec has no root, or a hook that cannot be run; nothing has been made yet.</exception>
    private BundleGround NewGround(Spec spec, string id, string bundle, bool callersKeyring)
    {
        ScopeName? scope = ScopeOf(spec, id);
        ContainerState state = new()
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
            CallersKeyring = callersKeyring,
        };
        BundleHooks.Check(state);
        return new BundleGround(state, scope, scope is null ? null : ScopeKeeper.Start());
    }

    /// <summary>The container's cgroup, with limits. Undone it is emptied and removed, and then the poststop hooks run.</summary>
    private ContainerCgroup MakeCgroup(BundleGround ground, LinuxResources? limits, Undo undo)
    {
        undo.Push(() => BundleHooks.Poststop(ground.State, Warn));
        ContainerCgroup cgroup = undo.Own(ground.Scope is null
            ? ContainerCgroup.Create(Host, ground.State.CgroupPath)
            : MakeScope(ground, limits, undo));
        undo.Push(() =>
        {
            if (!ground.IsEmpty)
            {
                cgroup.Kill();
            }

            cgroup.Delete();
        });
        cgroup.Apply(limits);
        return cgroup;
    }
}
