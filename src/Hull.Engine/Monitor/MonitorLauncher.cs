using Hull.Linux;
using Hull.Runtime;
using Microsoft.Win32.SafeHandles;

namespace Hull.Engine.Monitor;

/// <summary>Starts monitor processes. Any process may, whatever its threads: the child is made by posix_spawn(3).</summary>
public static class MonitorLauncher
{
    /// <summary>Starts a monitor that waits to be told what to run. Its runtime starts up (3-4 ms) while the caller goes on
    /// with its own work; where the caller then decides against it, disposing the result ends it.</summary>
    public static MonitorStarter Spawn()
    {
        (SafeFileHandle ours, SafeFileHandle theirs) = UnixSockets.Pair();
        using (theirs)
        // A process that clones runs from a binary that no payload can write to (CVE-2019-5736).
        using (SafeFileHandle binary = SealedBinary.Open())
        using (SafeFileHandle nothing = Files.Open("/dev/null", OpenFlags.ReadWrite))
        {
            try
            {
                int pid = ProcessSpawn.Start(new SpawnRequest
                {
                    Program = $"/proc/self/fd/{MonitorProcess.BinaryDescriptor}",
                    Arguments = ["hull", MonitorProcess.CommandName],
                    Environment = MonitorProcess.Environment,
                    Descriptors = [new(nothing, 0), new(nothing, 1), new(nothing, 2), new(theirs, MonitorProcess.StarterDescriptor), new(binary, MonitorProcess.BinaryDescriptor)],
                    NewSession = true,
                    // Blocked from birth, so that no thread of the monitor's runtime takes what its signalfd is to see.
                    Mask = MonitorProcess.BlockedSignals,
                    WorkingDirectory = "/",
                });
                return new MonitorStarter(pid, new MonitorConnection(ours));
            }
            catch
            {
                ours.Dispose();
                throw;
            }
        }
    }
}

/// <summary>A monitor that was just born and its starter's connection to it. Disposing it before <see cref="Start"/> ends
/// the monitor; afterwards the connection is the caller's.</summary>
public sealed class MonitorStarter : IDisposable
{
    private MonitorConnection? _connection;

    internal MonitorStarter(int pid, MonitorConnection connection)
    {
        ProcessId = pid;
        _connection = connection;
    }

    /// <summary>The monitor's. It outlives its starter and is a child of it until then: a long-lived starter reaps it.</summary>
    public int ProcessId { get; }

    /// <summary>After <see cref="Start"/>: sentences for the user on limits that hold in another way than asked, and on what was left behind.</summary>
    public IReadOnlyList<string> Notes { get; private set; } = [];

    /// <summary>Runs the container; returns when init executes the payload.</summary>
    /// <param name="pid">Init on the host.</param>
    /// <returns>The conversation: relay it until Exited where the request attaches streams, else close it.</returns>
    /// <exception cref="EngineException">What went wrong, with the kind that gives the exit code.</exception>
    public MonitorConnection Start(StartRequest request, out int pid)
    {
        MonitorConnection connection = _connection ?? throw new InvalidOperationException("this monitor has its container");
        if (!connection.Send(request.Encode()))
        {
            throw new EngineException(EngineErrorKind.System, "the container's monitor ended before it was told what to run");
        }

        FrameReader reader = new(connection.Expect(FrameKind.Started));
        pid = reader.Int32();
        Notes = reader.Texts();
        _connection = null;
        return connection;
    }

    public void Dispose() => _connection?.Dispose();
}
