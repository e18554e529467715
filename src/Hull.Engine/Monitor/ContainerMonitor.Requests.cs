using Hull.Engine.Containers;
using Hull.Linux;

namespace Hull.Engine.Monitor;

/// <summary>What clients ask of a monitor.</summary>
internal sealed partial class ContainerMonitor
{
    private void OnFrame(Client client, FrameKind kind, ReadOnlySpan<byte> payload)
    {
        if (_execs.Find(exec => exec.Client == client) is ExecSession session)
        {
            session.Handle(kind, payload);
            return;
        }

        if (_streams is not null && Array.IndexOf(_streams.AttachedClients(), client) >= 0 && _streams.TryHandle(client, kind, payload))
        {
            return;
        }

        try
        {
            Answer(client, kind, payload);
        }
        catch (Exception error) when (MonitorFrames.IsFailure(error) && error is not InvalidDataException)
        {
            client.Send(MonitorFrames.Failed(MonitorFrames.AsFailure(error)));
        }
    }

    private void Answer(Client client, FrameKind kind, ReadOnlySpan<byte> payload)
    {
        FrameReader reader = new(payload);
        switch (kind)
        {
            case FrameKind.Attach:
                Attach(client, AttachRequest.Decode(payload));
                break;
            case FrameKind.Exec:
                Exec(client, ExecRequest.Decode(payload));
                break;
            case FrameKind.Wait:
                _waiters.Add((client, (WaitCondition)reader.Byte()));
                if (_finished)
                {
                    // Only a slow reader keeps this monitor; the answer is known.
                    client.Send(_lastExit.Encode());
                    client.Finish();
                }

                break;
            case FrameKind.Signal:
                int sent = reader.Int32();
                Signal(sent);
                if (sent == (int)Linux.Signal.SIGKILL)
                {
                    // Answered when the container has ended: who killed it finds it so.
                    _stoppers.Add(client);
                }
                else
                {
                    client.Send(FrameKind.Done);
                }

                break;
            case FrameKind.Stop:
                int signal = reader.Int32();
                int seconds = reader.Int32();
                _stoppers.Add(client);
                _stoppedByUser = true;
                Stop(signal, seconds);
                break;
            case FrameKind.Pause:
                Pause();
                client.Send(FrameKind.Done);
                break;
            case FrameKind.Freeze:
                Pause();
                _freezer = client;
                client.Send(FrameKind.Done);
                break;
            case FrameKind.Unpause:
                Unpause();
                client.Send(FrameKind.Done);
                break;
            case FrameKind.Resize:
                _size = reader.Size() ?? _size;
                _streams?.Resize(_size);
                client.Send(FrameKind.Done);
                break;
            case FrameKind.Query:
                client.Send(new MonitorStatus(_state, _payload?.Pid ?? 0, _streams?.Clients ?? 0, _execs.ConvertAll(exec => exec.Pid), _log.Trouble).Encode());
                break;
            case FrameKind.Input or FrameKind.InputEnd:
                // Of a client that was just detached: what it sent meanwhile has no reader any more.
                break;
            default:
                throw new InvalidDataException($"monitor protocol: a client does not send {kind}");
        }
    }

    private void Attach(Client client, AttachRequest request)
    {
        Payload payload = Running();
        if (_state == ContainerState.Paused)
        {
            throw EngineException.Conflict("the container is paused: unpause it first");
        }

        client.Send(FrameKind.Attached);
        _streams!.Attach(client, request.Streams, patient: false);
        if (payload.Terminal is not null && request.Size is not null)
        {
            _size = request.Size;
            _streams.Resize(_size);
        }
    }

    private void Exec(Client client, ExecRequest request)
    {
        Running();
        if (_state == ContainerState.Paused)
        {
            throw EngineException.Conflict("the container is paused: unpause it before exec");
        }

        Payload payload = _host.Exec(request);
        client.Send(new FrameWriter(FrameKind.Started).Int32(payload.Pid).Texts(payload.Notes));
        _execs.Add(new ExecSession(_loop, client, payload, request, _buffer, exec =>
        {
            _execs.Remove(exec);
            exec.Dispose();
        }));
    }

    private void Signal(int signal)
    {
        Payload payload = Running();
        // A kill by hand is meant to last (docker: ExitOnNext); other signals are the payload's own business.
        if (signal == (int)Linux.Signal.SIGKILL || signal == _settings.StopSignal)
        {
            _stopRequested = true;
            _stoppedByUser = true;
        }

        if (signal == (int)Linux.Signal.SIGKILL && _state == ContainerState.Paused)
        {
            _host.KillAll();
            return;
        }

        PidFd.SendSignal(payload.PidFd, signal);
    }

    private void Pause()
    {
        Payload payload = Running();
        if (_state == ContainerState.Paused)
        {
            throw EngineException.Conflict("the container is already paused");
        }

        _host.Pause();
        _state = ContainerState.Paused;
        _host.Record(new StatusChange(ContainerState.Paused) { Pid = payload.Pid, RestartCount = _backoff.Count });
    }

    private void Unpause()
    {
        Payload payload = Running();
        if (_state != ContainerState.Paused)
        {
            throw EngineException.Conflict("the container is not paused");
        }

        _host.Unpause();
        EndFreeze();
        _state = ContainerState.Running;
        _host.Record(new StatusChange(ContainerState.Running) { Pid = payload.Pid, RestartCount = _backoff.Count });
    }

    /// <summary>Ends the conversation that froze the container, which has nothing to wait for any more.</summary>
    private void EndFreeze()
    {
        Client? freezer = _freezer;
        _freezer = null;
        freezer?.Finish();
    }

    private Payload Running() => _payload ?? throw EngineException.Conflict(
        _state == ContainerState.Restarting ? "the container is restarting: wait until it runs" : "the container is not running");
}
