using System.Text;
using Hull.Engine.Containers;
using Hull.Engine.Monitor;
using Hull.Linux;
using Microsoft.Win32.SafeHandles;

namespace Hull.Engine.Tests.Monitor;

/// <summary>A monitor on a thread of the test process, over a <see cref="PlainProcessHost"/>.</summary>
internal sealed class MonitorFixture : IDisposable
{
    private readonly Thread _thread;
    private readonly string _execRoot = Directory.CreateTempSubdirectory("hull-monitor-").FullName;
    private Exception? _crash;

    public MonitorFixture(
        string script,
        AttachStreams streams = AttachStreams.None,
        Func<MonitorSettings, MonitorSettings>? settings = null,
        bool openStdin = false,
        RunOutcome outcome = default,
        string[]? notes = null,
        Exception? startFailure = null,
        Exception? recordFailure = null)
    {
        Paths = new HullPaths(_execRoot, _execRoot);
        string directory = Paths.RuntimeDirectory(Id);
        Directory.CreateDirectory(directory);
        // Scripts wait on it until a test lets them go on.
        Files.MakeNode(null, Path.Combine(directory, "pipe"), FileType.Fifo, 0x180, 0, 0);
        Host = new PlainProcessHost(directory, script, settings) { OpenStdin = openStdin, Outcome = outcome, Notes = notes ?? [], StartFailure = startFailure, RecordFailure = recordFailure };
        (SafeFileHandle ours, SafeFileHandle theirs) = UnixSockets.Pair();
        Starter = new MonitorConnection(ours);
        _thread = new Thread(() =>
        {
            try
            {
                using MonitorProcess process = new(theirs, _ => Host);
                process.RunLoop();
            }
            catch (Exception error)
            {
                _crash = error;
            }
        });
        _thread.Start();
        Starter.Send(new StartRequest { DataRoot = _execRoot, ExecRoot = _execRoot, Container = Id, Streams = streams }.Encode());
    }

    public ContainerId Id { get; } = ContainerId.New();

    public HullPaths Paths { get; }

    public PlainProcessHost Host { get; }

    public MonitorConnection Starter { get; }

    public string Log => File.ReadAllText(Host.Settings.LogPath);

    /// <summary>The states recorded so far.</summary>
    public ContainerState[] States
    {
        get
        {
            lock (Host.Records)
            {
                return [.. Host.Records.Select(record => record.State)];
            }
        }
    }

    /// <summary>Waits until the starter is told that the payload runs.</summary>
    public MonitorFixture Started()
    {
        Starter.Expect(FrameKind.Started);
        return this;
    }

    /// <summary>Reads a conversation to its end.</summary>
    public static Relayed Relay(MonitorConnection connection)
    {
        MemoryStream output = new();
        MemoryStream error = new();
        ExitNotice? exit = null;
        string? detached = null;
        do
        {
            while (connection.TryNext(out FrameKind kind, out ReadOnlySpan<byte> payload))
            {
                switch (kind)
                {
                    case FrameKind.Output:
                        output.Write(payload);
                        break;
                    case FrameKind.ErrorOutput:
                        error.Write(payload);
                        break;
                    case FrameKind.Exited:
                        exit = MonitorConnection.ReadExit(payload);
                        break;
                    case FrameKind.Detached:
                        detached = MonitorConnection.ReadDetached(payload);
                        break;
                    default:
                        throw new InvalidDataException($"unexpected {kind}");
                }
            }
        }
        while (connection.Receive());
        return new Relayed(Encoding.UTF8.GetString(output.ToArray()), Encoding.UTF8.GetString(error.ToArray()), exit, detached);
    }

    /// <summary>Waits until the monitor has ended of itself; fails where it crashed.</summary>
    public void Ended()
    {
        Starter.Dispose();
        Assert.True(_thread.Join(TimeSpan.FromSeconds(20)), "the monitor did not end");
        Assert.Null(_crash);
        Assert.True(Host.Finished);
    }

    public static void Eventually(Func<bool> condition)
    {
        for (int i = 0; i < 1000; i++)
        {
            if (condition())
            {
                return;
            }

            Thread.Sleep(10);
        }

        Assert.Fail("did not happen within 10 s");
    }

    public void Dispose()
    {
        Host.KillAll();
        Starter.Dispose();
        if (_thread.Join(TimeSpan.FromSeconds(5)))
        {
            Directory.Delete(_execRoot, recursive: true);
        }
    }
}

/// <summary>What a conversation brought.</summary>
internal sealed record Relayed(string Output, string Error, ExitNotice? Exit, string? Detached);
