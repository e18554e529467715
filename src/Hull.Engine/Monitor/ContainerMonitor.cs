using Hull.Engine.Containers;
using Hull.Engine.Logs;
using Hull.Linux;
using Microsoft.Win32.SafeHandles;

namespace Hull.Engine.Monitor;

/// <summary>The life of one container as its monitor leads it: start, serve, end, perhaps start again, finish.</summary>
/// <remarks>
/// Belongs to the loop's thread; every method is a turn of the loop and returns at once, but for the start of a process.
/// <code>
///            Start ok            init ends, policy says again
/// (starter) ─────────▶ Running ───────────────────────────────▶ Restarting ──(back-off)──▶ Running …
///     │                  │ init ends, policy says no, or stopped      │ stopped, or the start fails
///     └─ fails: Failed   └──────────────────────▶ Finished ◀──────────┘
/// </code>
/// When init has ended the order is: read what is left in the pipes (log and clients have it), end the cgroup, write
/// the record, free what the run held, and only then tell the exit code; so whoever learns it finds the container ended. What
/// nobody waits for comes last: links and addresses. Whoever starts or removes the container then waits for its lock.
/// </remarks>
internal sealed partial class ContainerMonitor : IDisposable
{
    private readonly EventLoop _loop;
    private readonly IContainerHost _host;
    private readonly MonitorSettings _settings;
    private readonly RestartBackoff _backoff;
    private readonly NativeBuffer _buffer = new(Frame.HeaderLength + Frame.MaximumData);
    private readonly JsonFileLog _log;
    private readonly List<Client> _clients = [];
    private readonly List<ExecSession> _execs = [];
    private readonly List<(Client Client, WaitCondition Condition)> _waiters = [];
    private readonly List<Client> _stoppers = [];
    private ContainerState _state = ContainerState.Created;
    private Client? _starter;
    private Client? _freezer;
    private Payload? _payload;
    private ProcessStreams? _streams;
    private ExitWatch? _exitWatch;
    private long _startedAt;
    private Deadline? _restart;
    private Deadline? _kill;
    private bool _stopRequested;
    private bool _stoppedByUser;
    private ExitNotice _lastExit = new(0);
    private TerminalSize? _size;
    private bool _finished;

    public ContainerMonitor(EventLoop loop, IContainerHost host)
    {
        _loop = loop;
        _host = host;
        _settings = host.Settings;
        _backoff = new RestartBackoff(_settings.RestartPolicy);
        _log = new JsonFileLog(_settings.LogPath, _settings.Log);
    }

    /// <summary>The first start, asked for by the starter. Answers it with Started or Failed.</summary>
    /// <returns>False where the start failed: the monitor has nothing more to do.</returns>
    public bool Begin(Client starter, StartRequest request)
    {
        _starter = starter;
        _clients.Add(starter);
        starter.Handler = OnFrame;
        starter.Closed = OnClosed;
        _size = request.Size;
        _backoff.Resume(request.RestartCount);
        try
        {
            Start(() =>
            {
                starter.Send(new FrameWriter(FrameKind.Started).Int32(_payload!.Pid).Texts(_payload.Notes));
                if (request.Streams != AttachStreams.None)
                {
                    _streams!.Attach(starter, request.Streams, patient: true);
                }
            });
            return true;
        }
        catch (Exception error)
        {
            // A defect of ours too: the starter is told, and nothing of the container is left, instead of a monitor that
            // dies without a word.
            EngineException failure = Undo(MonitorFrames.AsFailure(error));
            starter.Send(MonitorFrames.Failed(failure));
            _host.Release();
            End();
            return false;
        }
    }

    /// <summary>Ends what a failed start has made already and records the failure.</summary>
    /// <returns>What to tell: the failure, and what could not be undone of it.</returns>
    private EngineException Undo(EngineException failure)
    {
        try
        {
            if (_payload is not null)
            {
                // Started, and then the record could not be written (a full disk).
                _host.KillAll();
                PidFd.Reap(_payload.PidFd, wait: true);
                CloseRun();
            }

            _host.Record(new StatusChange(ContainerState.Created) { ExitCode = failure.RunExitCode, Error = failure.Message });
            _host.Finish();
            return failure;
        }
        catch (Exception second) when (MonitorFrames.IsFailure(second))
        {
            return new EngineException(failure.Kind, $"{failure.Message}; and then: {second.Message}", failure);
        }
    }

    /// <summary>Takes a connection from <c>monitor.sock</c>.</summary>
    public void Accept(SafeFileHandle socket) =>
        _clients.Add(new Client(_loop, socket) { Handler = OnFrame, Closed = OnClosed });

    /// <summary>The monitor itself is told to end (SIGTERM): stops the container as <c>stop</c> does, but not for the
    /// record, so that an <c>always</c> or <c>unless-stopped</c> container comes back with its host.</summary>
    public void Shutdown()
    {
        if (!_finished)
        {
            Stop(_settings.StopSignal, _settings.StopTimeout);
        }
    }

    /// <summary>Whether a child is one that this monitor waits for by its pidfd; any other that has ended is an orphan.</summary>
    public bool Knows(int pid) => _payload?.Pid == pid || _execs.Exists(exec => exec.Pid == pid);

    public void Dispose()
    {
        foreach (ExecSession exec in _execs.ToArray())
        {
            exec.Dispose();
        }

        CloseRun();
        _log.Dispose();
        _buffer.Dispose();
        _host.Dispose();
    }

    private void Start(Action? attach)
    {
        _payload = _host.Start(_size);
        _host.Serve(_loop);
        _startedAt = Environment.TickCount64;
        _state = ContainerState.Running;
        _streams = new ProcessStreams(_loop, _payload, _buffer, _log, _settings.StdinOnce);
        _exitWatch = new ExitWatch(_loop, _payload.PidFd, OnInitEnded);
        // The record first: whoever is told "started" finds it so.
        _host.Record(new StatusChange(ContainerState.Running)
        {
            Pid = _payload.Pid,
            Started = DateTimeOffset.UtcNow,
            RestartCount = _backoff.Count,
            // Nobody waits for the answer to a restart: the record says it.
            Error = attach is null && _payload.Notes.Count > 0 ? string.Join("; ", _payload.Notes) : null,
        });
        attach?.Invoke();
    }

    private void OnInitEnded(ProcessExit exit)
    {
        RunOutcome outcome = _host.EndRun();
        foreach (ExecSession exec in _execs.ToArray())
        {
            // Killed with the rest; in the container's own pid namespace they have ended before init did.
            exec.AwaitEnd();
        }

        _streams!.Drain();
        _log.Finish(DateTime.UtcNow);
        _kill?.Dispose();
        _kill = null;

        string? error = outcome.OomKilled ? $"killed for memory{(outcome.OomLimit is null ? "" : $", {outcome.OomLimit}")}" : null;
        _lastExit = new ExitNotice(exit.ShellCode, outcome.OomKilled, error);
        TimeSpan ran = TimeSpan.FromMilliseconds(Environment.TickCount64 - _startedAt);
        Client[] attached = _streams.AttachedClients();
        TimeSpan? delay = _stopRequested ? null : _backoff.After(_lastExit.Code, ran);
        CloseRun();
        StatusChange change = new(delay is null ? ContainerState.Exited : ContainerState.Restarting)
        {
            Finished = DateTimeOffset.UtcNow,
            ExitCode = _lastExit.Code,
            Error = error,
            Outcome = outcome,
            RestartCount = _backoff.Count,
            StoppedByUser = _stoppedByUser,
        };
        if (delay is TimeSpan wait)
        {
            _state = ContainerState.Restarting;
            _host.Record(change);
            _restart = _loop.After(wait, StartAgain);
            TellExit(attached);
            TellWaiters(WaitCondition.NextExit);
        }
        else
        {
            Finish(change, attached);
        }
    }

    private void StartAgain()
    {
        _restart = null;
        try
        {
            Start(attach: null);
        }
        catch (Exception error) when (MonitorFrames.IsFailure(error))
        {
            // As docker: a restart that cannot be made ends the series, with the reason in the record.
            EngineException failure = MonitorFrames.AsFailure(error);
            _lastExit = new ExitNotice(failure.RunExitCode, Error: failure.Message);
            Finish(
                new StatusChange(ContainerState.Exited)
                {
                    Finished = DateTimeOffset.UtcNow,
                    ExitCode = failure.RunExitCode,
                    Error = failure.Message,
                    RestartCount = _backoff.Count,
                },
                []);
        }
    }

    /// <summary>Ends the container for good: signal now, SIGKILL after the time, no restart.</summary>
    private void Stop(int signal, int seconds)
    {
        _stopRequested = true;
        if (_state == ContainerState.Restarting)
        {
            _restart?.Dispose();
            _restart = null;
            Finish(
                new StatusChange(ContainerState.Exited)
                {
                    ExitCode = _lastExit.Code,
                    Error = _lastExit.Error,
                    RestartCount = _backoff.Count,
                    StoppedByUser = _stoppedByUser,
                },
                []);
            return;
        }

        PidFd.SendSignal(_payload!.PidFd, signal);
        // A frozen process takes its signal when it runs again.
        Thaw();
        _kill?.Dispose();
        _kill = seconds < 0 ? null : _loop.After(TimeSpan.FromSeconds(seconds), _host.KillAll);
    }

    private void Thaw()
    {
        if (_state == ContainerState.Paused)
        {
            _host.Unpause();
            EndFreeze();
            _state = ContainerState.Running;
        }
    }

    private void Finish(StatusChange change, Client[] attached)
    {
        _finished = true;
        EndFreeze();
        _state = ContainerState.Exited;
        _host.Record(change);
        _host.Finish();
        TellExit(attached);
        TellWaiters(WaitCondition.NextExit);
        TellWaiters(WaitCondition.NotRunning);
        TellWaiters(WaitCondition.Removed);
        foreach (Client stopper in _stoppers.ToArray())
        {
            stopper.Send(FrameKind.Done);
            stopper.Finish();
        }

        _host.Release();
        End();
    }

    private void TellExit(Client[] attached)
    {
        foreach (Client client in attached)
        {
            client.Send(_lastExit.Encode());
            client.Finish();
        }
    }

    private void TellWaiters(WaitCondition condition)
    {
        foreach ((Client client, WaitCondition wanted) in _waiters.ToArray())
        {
            if (wanted == condition)
            {
                client.Send(_lastExit.Encode());
                client.Finish();
            }
        }
    }

    /// <summary>Lives on only for clients that have not taken everything yet. An impatient reader is given its time; the
    /// starter as long as it likes.</summary>
    private void End()
    {
        _finished = true;
        foreach (Client client in _clients.ToArray())
        {
            client.Finish();
        }

        _loop.After(TimeSpan.FromSeconds(Frame.PatienceSeconds), () =>
        {
            foreach (Client client in _clients.FindAll(client => client != _starter))
            {
                client.Dispose();
            }
        });
        StopWhenServed();
    }

    private void StopWhenServed()
    {
        if (_finished && _clients.Count == 0)
        {
            _loop.Stop();
        }
    }

    private void OnClosed(Client client)
    {
        _clients.Remove(client);
        _stoppers.Remove(client);
        _waiters.RemoveAll(waiter => waiter.Client == client);
        if (client == _freezer)
        {
            _freezer = null;
            if (_state == ContainerState.Paused)
            {
                Unpause();
            }
        }

        _streams?.Detach(client);
        foreach (ExecSession exec in _execs)
        {
            exec.Streams.Detach(client);
        }

        StopWhenServed();
    }

    private void CloseRun()
    {
        _exitWatch?.Dispose();
        _exitWatch = null;
        _streams?.Dispose();
        _streams = null;
        _payload?.Dispose();
        _payload = null;
    }
}
