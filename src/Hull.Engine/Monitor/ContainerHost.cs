using Hull.Engine.Containers;
using Hull.Engine.Logs;
using Hull.Engine.Networks;
using Hull.Engine.Volumes;
using Hull.Images;
using Hull.Linux;
using Hull.Linux.Cgroups;
using Hull.Networking;
using Hull.Networking.Endpoints;
using Hull.Networking.Host;
using Hull.Networking.Ports;
using Hull.Oci;
using Hull.Oci.RuntimeSpec;
using Hull.Runtime;
using Hull.Runtime.Cgroups;
using Microsoft.Win32.SafeHandles;

namespace Hull.Engine.Monitor;

/// <summary>The container behind a real monitor: its record, its cgroup, its processes. Holds the container's lock from
/// <see cref="Open"/> to <see cref="Finish"/>.</summary>
/// <remarks>Belongs to the monitor's one thread: it clones (design, section 4).</remarks>
internal sealed partial class ContainerHost : IContainerHost
{
    /// <summary>Milliseconds: a monitor that has told of the end still removes its links, and a reader that asks whether the lock is
    /// held takes it for some microseconds.</summary>
    private const int LockAttempts = 2000;

    private static CgroupHost? _cgroupHost;

    private readonly ContainerStore _store;
    private readonly FileLock _lock;
    private readonly ContainerConfig _config;
    private ContainerStatus _status;
    private ContainerCgroup? _cgroup;
    private ulong _oomKillsBefore;
    private Spec? _spec;
    private SeccompFilter? _filter;
    private SafeFileHandle? _initPidFd;
    private int _initPid;
    private HostNetworks? _networks;
    private PortReservation? _ports;
    private ContainerNetworkState? _network;
    private ContainerDns? _dns;
    private PortRelay? _relay;
    private readonly List<string> _warnings = [];
    private bool _finished;

    private ContainerHost(ContainerStore store, FileLock monitorLock, ContainerConfig config, ContainerStatus status)
    {
        _store = store;
        _lock = monitorLock;
        _config = config;
        _status = status;
        RuntimeDirectory = Files.Open(store.Paths.RuntimeDirectory(config.Id), OpenFlags.Path | OpenFlags.Directory);
        Settings = new MonitorSettings
        {
            RestartPolicy = config.Host.RestartPolicy,
            AutoRemove = config.Host.AutoRemove,
            Tty = config.Payload.Tty,
            StdinOnce = config.Payload.StdinOnce,
            StopSignal = config.Payload.StopSignal is { Length: > 0 } signal && SignalText.TryParse(signal, out int number) ? number : (int)Signal.SIGTERM,
            StopTimeout = config.Payload.StopTimeout ?? 10,
            LogPath = store.Paths.LogFile(config.Id),
            Log = LogOptions.Parse(config.Host.LogConfig),
        };
    }

    public MonitorSettings Settings { get; }

    public SafeFileHandle RuntimeDirectory { get; }

    /// <summary>What a start needs and does not depend on the container: done while the starter still writes its record.</summary>
    public static void Prepare() => _cgroupHost ??= CgroupHost.Detect();

    /// <summary>Takes the container's lock and reads its records.</summary>
    /// <exception cref="EngineException">Conflict: another monitor has it. NotFound: no such container.</exception>
    public static IContainerHost Open(StartRequest request)
    {
        HullPaths paths = new(request.DataRoot, request.ExecRoot);
        ContainerStore store = new(paths);
        FileLock monitorLock = TakeLock(paths, request.Container);
        try
        {
            return new ContainerHost(store, monitorLock, store.ReadConfig(request.Container), store.ReadStatus(request.Container));
        }
        catch
        {
            monitorLock.Dispose();
            throw;
        }
    }

    public Payload Start(TerminalSize? size)
    {
        Prepare();
        SpecHost from = SpecHost.Of(_store);
        _warnings.Clear();
        try
        {
            Spec spec = SpecBuilder.Build(_config, _store.Paths, from);
            _cgroup ??= ContainerCgroup.Create(_cgroupHost!, HullPaths.CgroupPath(_config.Host.CgroupParent, _config.Id));
            List<string> notes = [];
            _cgroup.Apply(spec.Linux?.Resources, notes);
            _cgroup.PrepareAttach();
            _oomKillsBefore = _cgroup.OomKills();
            ReservePorts();
            Payload payload = Launch(spec, from, size, notes);
            notes.AddRange(_warnings);
            return payload;
        }
        catch (Exception error) when (_warnings.Count > 0 && MonitorFrames.IsFailure(error))
        {
            EngineException failure = MonitorFrames.AsFailure(error);
            throw new EngineException(failure.Kind, $"{failure.Message}; {string.Join("; ", _warnings)}", failure);
        }
        finally
        {
            from.Opened.ForEach(static handle => handle.Dispose());
        }
    }

    public void KillAll() => _cgroup?.Kill();

    public void Pause() => _cgroup!.Freeze();

    public void Unpause() => _cgroup!.Thaw();

    public RunOutcome EndRun()
    {
        if (_config.Host.PidMode is { Length: > 0 })
        {
            // In a pid namespace of its own everything has ended with init; in a shared one the cgroup is all that holds the processes together.
            _cgroup!.Kill();
        }

        bool oom = _cgroup!.OomKills() > _oomKillsBefore;
        return new RunOutcome(oom, oom ? _cgroup.MemoryLimitText : null);
    }

    public void Record(StatusChange change)
    {
        if (Settings.AutoRemove && change.State == ContainerState.Exited)
        {
            // The record goes with the container, a moment later.
            return;
        }

        bool live = change.State.IsLive();
        _status = _status with
        {
            State = change.State,
            Pid = change.Pid,
            MonitorPid = live ? System.Environment.ProcessId : 0,
            ExitCode = change.ExitCode,
            Started = change.Started ?? _status.Started,
            Finished = change.Finished ?? _status.Finished,
            Error = change.Error,
            Ports = live ? PortText.Of(_network, _config.Payload.ExposedPorts) : null,
            OomKilled = change.Outcome.OomKilled,
            OomLimit = change.Outcome.OomLimit,
            RestartCount = change.RestartCount,
            StoppedByUser = change.StoppedByUser,
        };
        // Not synced here: whoever waits for the exit code would wait for the disk. Dispose does it.
        _status = _store.WriteStatus(_status, durable: false);
    }

    public void Finish()
    {
        _finished = true;
        RereadNetworks();
        try
        {
            _cgroup?.Delete();
        }
        catch (CgroupException error) when (!Settings.AutoRemove)
        {
            // A process that does not die (an uninterruptible wait) keeps the cgroup; the container has ended nonetheless.
            AddError(error.Message);
        }

        if (Settings.AutoRemove)
        {
            _store.Remove(_config.Id, _store.CurrentName(_config.Id), new VolumeStore(_store.Paths).Remove);
        }
        else
        {
            Files.Unlink(RuntimeDirectory, MonitorProcess.SocketName);
        }
    }

    public void Release()
    {
        try
        {
            LeaveNetworks();
        }
        catch (Exception error) when (!Settings.AutoRemove && error is NetworkException or SyscallException)
        {
            // The next command that finds it sweeps; the record tells why.
            AddError(error.Message);
        }

        _lock.Dispose();
    }

    public void Dispose()
    {
        RuntimeDirectory.Dispose();
        _initPidFd?.Dispose();
        _cgroup?.Dispose();
        _ports?.Dispose();
        _lock.Dispose();
        if (_finished && !Settings.AutoRemove)
        {
            SyncStatus();
        }
    }

    /// <summary>The last status survives a power cut.</summary>
    private void SyncStatus()
    {
        string path = _store.Paths.StatusFile(_config.Id);
        using SafeFileHandle? file = Files.TryOpenAt(null, path, OpenFlags.ReadOnly, 0, out _);
        using SafeFileHandle? directory = Files.TryOpenAt(null, _store.Paths.ContainerDirectory(_config.Id), OpenFlags.ReadOnly | OpenFlags.Directory, 0, out _);
        // Either may be gone: the container was removed as soon as its lock was free.
        if (file is not null && directory is not null)
        {
            Files.Sync(file, path);
            Files.Sync(directory, path);
        }
    }

    private void AddError(string words)
    {
        _status = _status with { Error = _status.Error is null ? words : $"{_status.Error}; {words}" };
        _store.WriteStatus(_status, durable: false);
    }

    private static FileLock TakeLock(HullPaths paths, ContainerId id)
    {
        for (int attempt = 0; attempt < LockAttempts; attempt++)
        {
            if (MonitorLock.TryAcquire(paths, id) is FileLock taken)
            {
                return taken;
            }

            Thread.Sleep(1);
        }

        throw EngineException.Conflict($"container {id.Short} has a monitor already: it runs, or is just ending");
    }

    private Payload Launch(Spec spec, SpecHost from, TerminalSize? size, List<string> notes)
    {
        string bundle = _store.Paths.ContainerDirectory(_config.Id);
        List<string> environment = [.. spec.Process!.Env ?? []];
        _filter = FilterOf(spec, from);
        using StreamEnds streams = spec.Process.Terminal == true ? StreamEnds.None() : StreamEnds.Open(_config.Payload.OpenStdin);
        using RunningContainer container = ContainerLauncher.Create(new ContainerRequest
        {
            Id = _config.Id.Hex,
            Spec = spec with { Process = spec.Process with { Env = environment, ConsoleSize = SizeOf(size) } },
            Bundle = bundle,
            Rootfs = new RootfsSource.Overlay(Layers(), bundle + "/upper", bundle + "/work"),
            CloneIntoCgroup = _cgroup!.CloneTarget,
            SelfAttach = _cgroup.SelfAttach,
            CgroupHost = _cgroupHost,
            CgroupPath = _cgroup.Path,
            Streams = streams.Child,
            Init = _config.Host.Init,
            DieWithParent = true,
            ResolveUser = root => Resolve(_config.Payload.User, root, environment),
            Filter = _filter,
            Born = JoinNetworks,
        });
        container.Start();
        _spec = spec;
        _initPid = container.Pid;
        _initPidFd?.Dispose();
        _initPidFd = Descriptors.Duplicate(container.PidFd);
        return Take(container, streams, notes);
    }

    /// <summary>The monitor's side of a started process; what stays with the launcher's object is closed with it.</summary>
    private static Payload Take(RunningContainer process, StreamEnds streams, List<string> notes) => new()
    {
        Pid = process.Pid,
        PidFd = Descriptors.Duplicate(process.PidFd),
        Terminal = process.Terminal is null ? null : Descriptors.Duplicate(process.Terminal),
        Input = streams.TakeInput(),
        Output = streams.TakeOutput(),
        Error = streams.TakeError(),
        Notes = notes,
    };

    private string[] Layers()
    {
        LayerStore layers = ImageStore.Open(_store.Paths.DataRoot).Layers;
        IReadOnlyList<Digest> chain = _config.Layers;
        string[] directories = new string[chain.Count];
        for (int i = 0; i < directories.Length; i++)
        {
            directories[i] = layers.DirectoryOf(chain[^(i + 1)]);
        }

        return directories;
    }
}
