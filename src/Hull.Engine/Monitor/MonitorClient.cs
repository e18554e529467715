using Hull.Engine.Containers;
using Hull.Linux;
using Microsoft.Win32.SafeHandles;

namespace Hull.Engine.Monitor;

/// <summary>Requests to the monitor of a running container. Stateless: each call is a conversation of its own.</summary>
/// <remarks>Every method throws <see cref="EngineException"/>: Conflict where no monitor lives (the container is not
/// running), else what the monitor answered.</remarks>
public static class MonitorClient
{
    /// <summary>Connects; null where no monitor listens.</summary>
    public static MonitorConnection? TryConnect(HullPaths paths, ContainerId container)
    {
        using SafeFileHandle? directory = Files.TryOpenAt(
            null, paths.RuntimeDirectory(container), OpenFlags.Path | OpenFlags.Directory, 0, out Errno errno);
        if (directory is null)
        {
            return errno == Errno.ENOENT ? null : throw new SyscallException("open", paths.RuntimeDirectory(container), errno);
        }

        return UnixSockets.TryConnect(directory, MonitorProcess.SocketName) is SafeFileHandle socket ? new MonitorConnection(socket) : null;
    }

    /// <summary>Takes part in the container's streams; relay them until Exited or Detached.</summary>
    public static MonitorConnection Attach(HullPaths paths, ContainerId container, AttachRequest request) =>
        Converse(paths, container, request.Encode(), FrameKind.Attached, out _);

    /// <summary>Starts a process in the container; relay its streams until Exited, or where detached, close.</summary>
    /// <param name="pid">The process on the host.</param>
    public static MonitorConnection Exec(HullPaths paths, ContainerId container, ExecRequest request, out int pid)
    {
        MonitorConnection connection = Converse(paths, container, request.Encode(), FrameKind.Started, out ReadOnlySpan<byte> payload);
        pid = new FrameReader(payload).Int32();
        return connection;
    }

    /// <summary>Sends a signal to init. SIGKILL and the container's stop signal also end the restart policy.</summary>
    public static void Signal(HullPaths paths, ContainerId container, int signal) =>
        Request(paths, container, new FrameWriter(FrameKind.Signal).Int32(signal));

    /// <summary>Stops the container for good; returns when it has ended.</summary>
    /// <param name="seconds">Until SIGKILL; below 0: never.</param>
    public static void Stop(HullPaths paths, ContainerId container, int signal, int seconds) =>
        Request(paths, container, new FrameWriter(FrameKind.Stop).Int32(signal).Int32(seconds));

    /// <summary>Freezes every process of the container.</summary>
    public static void Pause(HullPaths paths, ContainerId container) => Request(paths, container, new FrameWriter(FrameKind.Pause));

    /// <summary>Freezes every process of the container until the connection ends, or somebody unpauses.</summary>
    public static MonitorConnection Freeze(HullPaths paths, ContainerId container) =>
        Converse(paths, container, new FrameWriter(FrameKind.Freeze), FrameKind.Done, out _);

    public static void Unpause(HullPaths paths, ContainerId container) => Request(paths, container, new FrameWriter(FrameKind.Unpause));

    /// <summary>Sets the size of the container's terminal; nothing where it has none.</summary>
    public static void Resize(HullPaths paths, ContainerId container, TerminalSize size) =>
        Request(paths, container, new FrameWriter(FrameKind.Resize).Size(size));

    public static MonitorStatus Query(HullPaths paths, ContainerId container)
    {
        using MonitorConnection connection = Converse(paths, container, new FrameWriter(FrameKind.Query), FrameKind.Status, out ReadOnlySpan<byte> payload);
        return MonitorStatus.Decode(payload);
    }

    /// <summary>A conversation in which Exited comes when the condition is met; poll it, or call <see cref="WaitForExit"/>.</summary>
    /// <returns>Null where no monitor lives: the container is not running.</returns>
    public static MonitorConnection? TryWait(HullPaths paths, ContainerId container, WaitCondition condition)
    {
        MonitorConnection? connection = TryConnect(paths, container);
        if (connection is not null && !connection.Send(new FrameWriter(FrameKind.Wait).Byte((byte)condition)))
        {
            connection.Dispose();
            return null;
        }

        return connection;
    }

    /// <summary>Waits for the Exited of a <see cref="TryWait"/>.</summary>
    /// <returns>Null where the monitor was killed and took the answer with it.</returns>
    public static ExitNotice? WaitForExit(MonitorConnection connection)
    {
        do
        {
            while (connection.TryNext(out FrameKind kind, out ReadOnlySpan<byte> payload))
            {
                if (kind == FrameKind.Exited)
                {
                    return ExitNotice.Decode(payload);
                }
            }
        }
        while (connection.Receive());
        return null;
    }

    private static void Request(HullPaths paths, ContainerId container, FrameWriter request) =>
        Converse(paths, container, request, FrameKind.Done, out _).Dispose();

    private static MonitorConnection Converse(
        HullPaths paths, ContainerId container, FrameWriter request, FrameKind wanted, out ReadOnlySpan<byte> payload)
    {
        MonitorConnection connection = TryConnect(paths, container) ?? throw NotRunning(container);
        try
        {
            payload = connection.Send(request) ? connection.Expect(wanted) : throw NotRunning(container);
            return connection;
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    private static EngineException NotRunning(ContainerId container) => EngineException.Conflict($"container {container.Hex} is not running");
}
