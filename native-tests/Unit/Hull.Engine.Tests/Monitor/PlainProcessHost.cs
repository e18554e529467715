using Hull.Engine.Monitor;
using Hull.Linux;
using Microsoft.Win32.SafeHandles;

namespace Hull.Engine.Tests.Monitor;

/// <summary>A container host without isolation: init and execs are plain shells, the record is a list. Lets the whole
/// monitor run in a unit test, without root.</summary>
internal sealed class PlainProcessHost : IContainerHost
{
    private readonly List<int> _processes = [];

    public PlainProcessHost(string directory, string script, Func<MonitorSettings, MonitorSettings>? settings = null)
    {
        Directory = directory;
        Script = script;
        RuntimeDirectory = Files.Open(directory, OpenFlags.Path | OpenFlags.Directory);
        MonitorSettings defaults = new() { LogPath = Path.Combine(directory, "c-json.log") };
        Settings = settings?.Invoke(defaults) ?? defaults;
    }

    public string Directory { get; }

    public string Script { get; }

    public bool OpenStdin { get; init; }

    public RunOutcome Outcome { get; init; }

    /// <summary>Of each start.</summary>
    public IReadOnlyList<string> Notes { get; init; } = [];

    public Exception? StartFailure { get; set; }

    public List<StatusChange> Records { get; } = [];

    public bool Finished { get; private set; }

    public bool Released { get; private set; }

    public MonitorSettings Settings { get; }

    public SafeFileHandle RuntimeDirectory { get; }

    public Payload Start(TerminalSize? size) => StartFailure is null ? Spawn(["sh", "-c", Script], OpenStdin, Notes) : throw StartFailure;

    public Payload Exec(ExecRequest request) => Spawn(request.Args, (request.Streams & AttachStreams.Stdin) != 0, []);

    public void KillAll() => _processes.ForEach(pid => Send(pid, 9));

    public void Pause() => _processes.ForEach(pid => Send(pid, (int)Signal.SIGSTOP));

    public void Unpause() => _processes.ForEach(pid => Send(pid, (int)Signal.SIGCONT));

    public RunOutcome EndRun() => Outcome;

    /// <summary>What writing the first status fails with, as on a full disk.</summary>
    public Exception? RecordFailure { get; set; }

    public void Record(StatusChange change)
    {
        if (RecordFailure is { } failure)
        {
            RecordFailure = null;
            throw failure;
        }

        lock (Records)
        {
            Records.Add(change);
        }
    }

    public void Serve(EventLoop loop)
    {
        // Plain processes have no network of their own.
    }

    public void Finish() => Finished = true;

    public void Release() => Released = true;

    public void Dispose()
    {
        KillAll();
        RuntimeDirectory.Dispose();
    }

    private static void Send(int pid, int signal)
    {
        using SafeFileHandle? process = PidFd.TryOpen(pid);
        if (process is not null)
        {
            PidFd.SendSignal(process, signal);
        }
    }

    private Payload Spawn(IReadOnlyList<string> args, bool input, IReadOnlyList<string> notes)
    {
        (SafeFileHandle outRead, SafeFileHandle outWrite) = Descriptors.Pipe();
        (SafeFileHandle errRead, SafeFileHandle errWrite) = Descriptors.Pipe();
        (SafeFileHandle Read, SafeFileHandle Write)? stdin = input ? Descriptors.Pipe() : null;
        using (outWrite)
        using (errWrite)
        using (SafeFileHandle nothing = stdin?.Read ?? Files.Open("/dev/null", OpenFlags.ReadOnly))
        {
            int pid = ProcessSpawn.Start(new SpawnRequest
            {
                Program = "/bin/sh",
                Arguments = args,
                Environment = ["PATH=/usr/bin:/bin"],
                Descriptors = [new(nothing, 0), new(outWrite, 1), new(errWrite, 2)],
                WorkingDirectory = Directory,
            });
            _processes.Add(pid);
            return new Payload { Pid = pid, PidFd = PidFd.TryOpen(pid)!, Input = stdin?.Write, Output = outRead, Error = errRead, Notes = notes };
        }
    }
}
