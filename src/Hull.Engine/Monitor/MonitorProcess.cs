using System.Text;
using Hull.Engine.Containers;
using Hull.Linux;
using Hull.Oci;
using Microsoft.Win32.SafeHandles;

namespace Hull.Engine.Monitor;

/// <summary><c>hull monitor</c>: the process beside each container. One thread around epoll(7).</summary>
/// <remarks>Born by <see cref="MonitorLauncher"/> in a session of its own with the starter's socket as descriptor 3; waits for
/// the Start frame, leads the container's life as <see cref="ContainerMonitor"/> says, and exits after it. Where the starter
/// goes away before Start, so does the monitor. No second managed thread may ever exist here: this process clones.</remarks>
public sealed class MonitorProcess : IDisposable
{
    /// <summary>First argument of the binary that makes it a monitor.</summary>
    public const string CommandName = "monitor";

    internal const string SocketName = "monitor.sock";
    internal const int StarterDescriptor = 3;

    /// <summary>Through which the monitor is executed; closed first thing.</summary>
    internal const int BinaryDescriptor = 4;

    /// <summary>Seen by signalfd(2) alone. SIGHUP, SIGINT and SIGQUIT have no meaning for a process without a terminal.</summary>
    internal static SignalSet BlockedSignals { get; } = SignalSet.Of(
        Signal.SIGCHLD, Signal.SIGTERM, Signal.SIGHUP, Signal.SIGINT, Signal.SIGQUIT, Signal.SIGPIPE);

    /// <summary>The monitor's own environment; none of its starter's gets in.</summary>
    /// <remarks>One malloc arena; a collection after 1 MiB of allocations (a start on a bridge makes half of that) instead of the processor's cache size; a heap of 128
    /// MiB at most (every buffer here is bounded), which makes the collector's own tables 270 KiB smaller. The
    /// collector reads its numbers as hexadecimal without a prefix.</remarks>
    internal static IReadOnlyList<string> Environment { get; } = ["MALLOC_ARENA_MAX=1", "DOTNET_GCgen0size=100000", "DOTNET_GCHeapHardLimit=8000000"];

    /// <summary>After a start; giving memory back takes 2 ms of a processor, which others that are being started have a use for.</summary>
    private static readonly TimeSpan Settled = TimeSpan.FromSeconds(2);

    private readonly EventLoop _loop = new();
    private readonly Func<StartRequest, IContainerHost> _open;
    private readonly Client _starter;
    private SafeFileHandle? _listener;
    private Watch? _listenerWatch;
    private ContainerMonitor? _monitor;
    private IContainerHost? _host;

    /// <param name="starter">The starter's socket; owned from here on.</param>
    /// <param name="open">Takes hold of the container that a Start names.</param>
    internal MonitorProcess(SafeFileHandle starter, Func<StartRequest, IContainerHost> open)
    {
        _open = open;
        Descriptors.SetNonBlocking(starter);
        _starter = new Client(_loop, starter) { Handler = OnFirstFrame, Closed = _ => _loop.Stop() };
    }

    /// <summary>The whole program.</summary>
    /// <returns>The process's exit code; nobody but a test looks at it.</returns>
    public static int Run()
    {
        // Executed already; a descriptor of the binary must not be there for a child to inherit.
        new SafeFileHandle(BinaryDescriptor, ownsHandle: true).Dispose();
        OwnProcess.SetName("hull-monitor\0"u8);
        OwnProcess.BecomeSubreaper();
        using SafeFileHandle signals = Signals.OpenDescriptor(BlockedSignals);
        using MonitorProcess process = new(new SafeFileHandle(StarterDescriptor, ownsHandle: true), ContainerHost.Open);
        using Watch watch = process._loop.Watch(signals, PollEvents.Readable, _ => process.OnSignal(signals));
        ContainerHost.Prepare();
        try
        {
            process.RunLoop();
            return 0;
        }
        catch (Exception error)
        {
            // A full disk when the end was to be recorded, or a defect of ours. Nobody listens here: the next command ends what
            // is left of the container and reports these words.
            process.LeaveLastWords(error);
            return 1;
        }
    }

    /// <summary>Writes why the monitor fails to where recovery reads it.</summary>
    private void LeaveLastWords(Exception error)
    {
        if (_host is null || Files.TryOpenAt(
            _host.RuntimeDirectory, ContainerStore.LastWordsName, OpenFlags.WriteOnly | OpenFlags.Create | OpenFlags.Truncate, 0x180, out _)
            is not { } file)
        {
            return;
        }

        using (file)
        {
            try
            {
                Files.Write(file, Encoding.UTF8.GetBytes(FlagText.Printable(error.Message)), ContainerStore.LastWordsName);
            }
            catch (SyscallException)
            {
                // The exec root is full too; recovery then says that the monitor was killed.
            }
        }
    }

    /// <summary>Serves until the container has ended and every client has been told.</summary>
    internal void RunLoop() => _loop.Run();

    public void Dispose()
    {
        _listenerWatch?.Dispose();
        _listener?.Dispose();
        _monitor?.Dispose();
        _starter.Dispose();
        _loop.Dispose();
    }

    private void OnFirstFrame(Client starter, FrameKind kind, ReadOnlySpan<byte> payload)
    {
        if (kind != FrameKind.Start)
        {
            throw new InvalidDataException($"monitor protocol: {kind} where Start was due");
        }

        try
        {
            StartRequest request = StartRequest.Decode(payload);
            IContainerHost host = _open(request);
            _host = host;
            _monitor = new ContainerMonitor(_loop, host);
            // Before the container's record says "running": who reads that can connect.
            _listener = UnixSockets.Listen(host.RuntimeDirectory, SocketName);
            _listenerWatch = _loop.Watch(_listener, PollEvents.Readable, _ => OnConnection());
            if (_monitor.Begin(starter, request))
            {
                _loop.After(Settled, Shrink);
            }
        }
        catch (Exception error) when (error is not InvalidDataException)
        {
            // Not even opened: another monitor has the container, or its record cannot be read.
            starter.Send(MonitorFrames.Failed(MonitorFrames.AsFailure(error)));
            starter.Finish();
        }
    }

    private void OnConnection()
    {
        if (UnixSockets.TryAccept(_listener!) is SafeFileHandle socket)
        {
            _monitor!.Accept(socket);
        }
    }

    private void OnSignal(SafeFileHandle signals)
    {
        while (Signals.TryRead(signals) is Signal signal)
        {
            if (signal == Signal.SIGCHLD)
            {
                ReapOrphans();
            }
            else if (signal == Signal.SIGTERM)
            {
                if (_monitor is null)
                {
                    _loop.Stop();
                }
                else
                {
                    _monitor.Shutdown();
                }
            }
        }
    }

    /// <summary>Reaps what was left to this process as the subreaper: orphans of a container that shares the host's pid
    /// namespace, and of helpers.</summary>
    private void ReapOrphans()
    {
        while (PidFd.PeekAny() is int pid && pid != 0 && _monitor?.Knows(pid) != true)
        {
            PidFd.ReapAny(out _);
        }
    }

    /// <summary>Gives back what the start needed and the service does not.</summary>
    private static void Shrink()
    {
        GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
        OwnProcess.TrimMalloc();
        // Last: the collection itself has used much of the code.
        OwnProcess.DropCode();
    }
}
