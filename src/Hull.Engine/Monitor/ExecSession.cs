using Hull.Engine.Logs;
using Hull.Linux;

namespace Hull.Engine.Monitor;

/// <summary>One exec: a process beside init and the client that asked for it. Lives until the process has ended; a client that
/// leaves before takes its input away and leaves the process, as docker does.</summary>
internal sealed class ExecSession : IDisposable
{
    private readonly Payload _payload;
    private readonly ExitWatch _exitWatch;
    private readonly Action<ExecSession> _ended;

    public ExecSession(EventLoop loop, Client client, Payload payload, ExecRequest request, NativeBuffer buffer, Action<ExecSession> ended)
    {
        Client = client;
        _payload = payload;
        _ended = ended;
        Streams = new ProcessStreams(loop, payload, buffer, log: null, endInputWithClient: true);
        if (request.Streams != AttachStreams.None)
        {
            Streams.Attach(client, request.Streams, patient: true);
            Streams.Resize(request.Size);
        }

        _exitWatch = new ExitWatch(loop, payload.PidFd, End);
    }

    public Client Client { get; }

    public ProcessStreams Streams { get; }

    public int Pid => _payload.Pid;

    public void Handle(FrameKind kind, ReadOnlySpan<byte> payload)
    {
        if (kind == FrameKind.Signal)
        {
            PidFd.SendSignal(_payload.PidFd, new FrameReader(payload).Int32());
        }
        else if (!Streams.TryHandle(Client, kind, payload))
        {
            throw new InvalidDataException($"monitor protocol: {kind} in an exec conversation");
        }
    }

    public void Dispose()
    {
        _exitWatch.Dispose();
        Streams.Dispose();
        _payload.Dispose();
    }

    /// <summary>The process has been killed and is about to end.</summary>
    public void AwaitEnd() => End(PidFd.Reap(_payload.PidFd, wait: true)!.Value);

    /// <summary>The process has ended: tells the client and lets go.</summary>
    private void End(ProcessExit exit)
    {
        Streams.Drain();
        Client.Send(new ExitNotice(exit.ShellCode).Encode());
        Client.Finish();
        _ended(this);
    }
}
