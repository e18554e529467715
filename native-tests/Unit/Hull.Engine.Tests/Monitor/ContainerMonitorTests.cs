using System.Text;
using Hull.Engine.Containers;
using Hull.Engine.Monitor;
using Hull.Linux;

namespace Hull.Engine.Tests.Monitor;

/// <summary>The monitor as a whole, over plain processes.</summary>
public sealed class ContainerMonitorTests
{
    [Fact]
    public void Start_Foreground_BringsStreamsThenExitCode()
    {
        using MonitorFixture monitor = new("echo out; echo err >&2; exit 7", AttachStreams.All);
        monitor.Started();

        Relayed relayed = MonitorFixture.Relay(monitor.Starter);

        Assert.Equal(new Relayed("out\n", "err\n", new ExitNotice(7), null), relayed);
        monitor.Ended();
        Assert.Equal([ContainerState.Running, ContainerState.Exited], monitor.States);
        Assert.Equal(7, monitor.Host.Records[1].ExitCode);
        Assert.Contains("{\"log\":\"out\\n\",\"stream\":\"stdout\"", monitor.Log, StringComparison.Ordinal);
        Assert.Contains("{\"log\":\"err\\n\",\"stream\":\"stderr\"", monitor.Log, StringComparison.Ordinal);
    }

    [Fact]
    public void Start_KilledBySignal_ExitCodeIs128PlusN()
    {
        using MonitorFixture monitor = new("kill -SEGV $$", AttachStreams.Stdout);
        monitor.Started();

        Assert.Equal(139, MonitorFixture.Relay(monitor.Starter).Exit!.Code);
        monitor.Ended();
    }

    [Fact]
    public void Start_Fails_TellsKindAndTextAndEnds()
    {
        using MonitorFixture monitor = new("", startFailure: new EngineException(EngineErrorKind.CommandNotFound, "no such program"));

        EngineException error = Assert.Throws<EngineException>(() => monitor.Starter.Expect(FrameKind.Started));

        Assert.Equal((EngineErrorKind.CommandNotFound, "no such program", 127), (error.Kind, error.Message, error.RunExitCode));
        monitor.Ended();
        Assert.Equal((127, "no such program"), (monitor.Host.Records[0].ExitCode, monitor.Host.Records[0].Error));
    }

    [Fact]
    public void Start_DefectOfOurs_IsToldTooAndEnds()
    {
        using MonitorFixture monitor = new("", startFailure: new InvalidCastException("a bug"));

        EngineException error = Assert.Throws<EngineException>(() => monitor.Starter.Expect(FrameKind.Started));

        Assert.Equal((EngineErrorKind.System, "internal error in the container's monitor: InvalidCastException: a bug"), (error.Kind, error.Message));
        monitor.Ended();
    }

    [Fact]
    public void Start_RecordCannotBeWritten_EndsThePayloadAndTells()
    {
        using MonitorFixture monitor = new("echo $$ >pid; read x <pipe", recordFailure: new SyscallException("write", "status.json", Errno.ENOSPC));

        EngineException error = Assert.Throws<EngineException>(() => monitor.Starter.Expect(FrameKind.Started));

        Assert.Contains("ENOSPC", error.Message, StringComparison.Ordinal);
        monitor.Ended();
        Assert.Equal([ContainerState.Created], monitor.States);
        string pid = Path.Combine(monitor.Host.Directory, "pid");
        // Killed between its open and its write, the payload leaves the file empty.
        Assert.False(File.Exists(pid) && File.ReadAllText(pid).Trim() is { Length: > 0 } text && Directory.Exists($"/proc/{text}"));
    }

    [Fact]
    public void Start_OutOfMemory_IsToldWithTheLimit()
    {
        using MonitorFixture monitor = new("kill -9 $$", AttachStreams.Stdout, outcome: new RunOutcome(true, "memory limit 64 MiB"));
        monitor.Started();

        Assert.Equal(new ExitNotice(137, true, "killed for memory, memory limit 64 MiB"), MonitorFixture.Relay(monitor.Starter).Exit);
        monitor.Ended();
    }

    [Fact]
    public void Input_ToTheEnd_ComesBackWhole()
    {
        using MonitorFixture monitor = new("cat", AttachStreams.All, settings => settings with { StdinOnce = true }, openStdin: true);
        monitor.Started();
        string text = string.Concat(Enumerable.Range(0, 200_000).Select(i => $"{i}\n"));
        // More than every buffer on the way: the sender has to wait for the reader.
        Thread sender = new(() =>
        {
            monitor.Starter.SendInput(Encoding.UTF8.GetBytes(text));
            monitor.Starter.SendInputEnd();
        });
        sender.Start();

        Relayed relayed = MonitorFixture.Relay(monitor.Starter);
        sender.Join();

        Assert.Equal(text.Length, relayed.Output.Length);
        Assert.Equal(text, relayed.Output);
        Assert.Equal(0, relayed.Exit!.Code);
        monitor.Ended();
    }

    [Fact]
    public void Starter_Gone_ContainerGoesOn()
    {
        using MonitorFixture monitor = new("echo one; read x <pipe; echo two", AttachStreams.Stdout);
        monitor.Started();
        monitor.Starter.Dispose();

        using MonitorConnection? wait = MonitorClient.TryWait(monitor.Paths, monitor.Id, WaitCondition.NotRunning);
        // Answered after the wait was read: otherwise the container may end before its monitor knows that somebody waits.
        _ = MonitorClient.Query(monitor.Paths, monitor.Id);
        File.WriteAllText(Path.Combine(monitor.Host.Directory, "pipe"), "go\n");

        Assert.Equal(new ExitNotice(0), MonitorClient.WaitForExit(wait!));
        monitor.Ended();
        Assert.Contains("two", monitor.Log, StringComparison.Ordinal);
    }

    [Fact]
    public void Attach_SeveralClients_AllSeeTheOutput()
    {
        using MonitorFixture monitor = new("read x; echo got $x; read y", openStdin: true);
        monitor.Started();
        using MonitorConnection first = MonitorClient.Attach(monitor.Paths, monitor.Id, new AttachRequest { Streams = AttachStreams.All });
        using MonitorConnection second = MonitorClient.Attach(monitor.Paths, monitor.Id, new AttachRequest { Streams = AttachStreams.Stdout });
        Assert.Equal(2, MonitorClient.Query(monitor.Paths, monitor.Id).Clients);

        first.SendInput("word\n"u8);
        MonitorFixture.Eventually(() => File.Exists(monitor.Host.Settings.LogPath));
        // Without StdinOnce a client's end of input is not the container's.
        first.SendInputEnd();
        MonitorClient.Stop(monitor.Paths, monitor.Id, 9, 10);

        Assert.Equal(new Relayed("got word\n", "", new ExitNotice(137), null), MonitorFixture.Relay(first));
        Assert.Equal(new Relayed("got word\n", "", new ExitNotice(137), null), MonitorFixture.Relay(second));
        monitor.Ended();
    }

    [Fact]
    public void Output_SlowStarter_LosesNothing()
    {
        using MonitorFixture monitor = new("i=0; while [ $i -lt 40000 ]; do echo 0123456789012345678901234567890123456789$i; i=$((i+1)); done", AttachStreams.Stdout);
        monitor.Started();
        Thread.Sleep(300);

        Relayed relayed = MonitorFixture.Relay(monitor.Starter);

        Assert.Equal(40_000, relayed.Output.Count(character => character == '\n'));
        Assert.Equal(0, relayed.Exit!.Code);
        monitor.Ended();
    }

    [Fact]
    public void Output_AttachedClientThatNeverReads_IsCutOffAndTheContainerGoesOn()
    {
        using MonitorFixture monitor = new("read x <pipe; i=0; while [ $i -lt 20000 ]; do echo 0123456789012345678901234567890123456789012345678901234567890123456789; i=$((i+1)); done");
        monitor.Started();
        using MonitorConnection stuck = MonitorClient.Attach(monitor.Paths, monitor.Id, new AttachRequest { Streams = AttachStreams.Stdout });
        using MonitorConnection? wait = MonitorClient.TryWait(monitor.Paths, monitor.Id, WaitCondition.NotRunning);
        File.WriteAllText(Path.Combine(monitor.Host.Directory, "pipe"), "go\n");

        Assert.Equal(new ExitNotice(0), MonitorClient.WaitForExit(wait!));

        Assert.Contains("too slow", MonitorFixture.Relay(stuck).Detached, StringComparison.Ordinal);
        Assert.Equal(20_000, File.ReadLines(monitor.Host.Settings.LogPath).Count());
        monitor.Ended();
    }

    [Fact]
    public void Exec_WithStreams_RunsBesideInit()
    {
        using MonitorFixture monitor = new("read x <pipe");
        monitor.Started();
        ExecRequest request = new() { Args = ["sh", "-c", "cat; echo bye >&2; exit 3"], Streams = AttachStreams.All };

        using MonitorConnection exec = MonitorClient.Exec(monitor.Paths, monitor.Id, request, out int pid);
        Assert.Equal([pid], MonitorClient.Query(monitor.Paths, monitor.Id).Execs);
        exec.SendInput("in"u8);
        exec.SendInputEnd();

        Assert.Equal(new Relayed("in", "bye\n", new ExitNotice(3), null), MonitorFixture.Relay(exec));
        MonitorClient.Stop(monitor.Paths, monitor.Id, 15, 10);
        monitor.Ended();
        Assert.False(File.Exists(monitor.Host.Settings.LogPath));
    }

    [Fact]
    public void Exec_ClientGone_ProcessLosesItsInputAndGoesOn()
    {
        using MonitorFixture monitor = new("read x <pipe");
        monitor.Started();
        string proof = Path.Combine(monitor.Host.Directory, "proof");
        ExecRequest request = new() { Args = ["sh", "-c", $"cat; echo done >{proof}"], Streams = AttachStreams.All };

        MonitorClient.Exec(monitor.Paths, monitor.Id, request, out _).Dispose();

        MonitorFixture.Eventually(() => File.Exists(proof));
        MonitorClient.Stop(monitor.Paths, monitor.Id, 15, 10);
        monitor.Ended();
    }

    [Fact]
    public void Exec_Signal_ReachesItsProcessOnly()
    {
        using MonitorFixture monitor = new("read x <pipe");
        monitor.Started();
        using MonitorConnection exec = MonitorClient.Exec(
            monitor.Paths, monitor.Id, new ExecRequest { Args = ["sh", "-c", "sleep 100"], Streams = AttachStreams.Stdout }, out _);

        exec.SendSignal(15);

        Assert.Equal(143, MonitorFixture.Relay(exec).Exit!.Code);
        Assert.Equal(ContainerState.Running, MonitorClient.Query(monitor.Paths, monitor.Id).State);
        MonitorClient.Stop(monitor.Paths, monitor.Id, 15, 10);
        monitor.Ended();
    }

    [Fact]
    public void Stop_SignalIgnored_KillsAfterTheTime()
    {
        using MonitorFixture monitor = new("trap '' TERM; while :; do read x <pipe; done");
        monitor.Started();
        MonitorFixture.Eventually(() => File.ReadAllText($"/proc/{MonitorClient.Query(monitor.Paths, monitor.Id).Pid}/status").Contains("SigIgn:\t0000000000004", StringComparison.Ordinal));

        MonitorClient.Stop(monitor.Paths, monitor.Id, 15, 1);

        monitor.Ended();
        Assert.Equal((137, true), (monitor.Host.Records[^1].ExitCode, monitor.Host.Records[^1].StoppedByUser));
    }

    [Fact]
    public void Stop_Paused_RunsOnToTakeTheSignal()
    {
        using MonitorFixture monitor = new("read x <pipe");
        monitor.Started();
        MonitorClient.Pause(monitor.Paths, monitor.Id);
        Assert.Equal(ContainerState.Paused, MonitorClient.Query(monitor.Paths, monitor.Id).State);
        Assert.Contains("paused", Assert.Throws<EngineException>(() => MonitorClient.Pause(monitor.Paths, monitor.Id)).Message, StringComparison.Ordinal);
        Assert.Throws<EngineException>(() => MonitorClient.Exec(monitor.Paths, monitor.Id, new ExecRequest { Args = ["true"] }, out _));

        MonitorClient.Stop(monitor.Paths, monitor.Id, 15, 10);

        monitor.Ended();
        Assert.Equal([ContainerState.Running, ContainerState.Paused, ContainerState.Exited], monitor.States);
    }

    [Fact]
    public void Freeze_ClientGone_RunsOn()
    {
        using MonitorFixture monitor = new("read x <pipe");
        monitor.Started();
        using (MonitorClient.Freeze(monitor.Paths, monitor.Id))
        {
            Assert.Equal(ContainerState.Paused, MonitorClient.Query(monitor.Paths, monitor.Id).State);
            Assert.Throws<EngineException>(() => MonitorClient.Freeze(monitor.Paths, monitor.Id));
        }

        MonitorFixture.Eventually(() => MonitorClient.Query(monitor.Paths, monitor.Id).State == ContainerState.Running);
        MonitorClient.Stop(monitor.Paths, monitor.Id, 15, 10);
        monitor.Ended();
    }

    [Fact]
    public void Freeze_UnpausedAndPausedByAnother_StaysPausedWhenTheClientGoes()
    {
        using MonitorFixture monitor = new("read x <pipe");
        monitor.Started();
        using (MonitorClient.Freeze(monitor.Paths, monitor.Id))
        {
            MonitorClient.Unpause(monitor.Paths, monitor.Id);
            MonitorClient.Pause(monitor.Paths, monitor.Id);
        }

        Assert.Equal(ContainerState.Paused, MonitorClient.Query(monitor.Paths, monitor.Id).State);
        MonitorClient.Stop(monitor.Paths, monitor.Id, 15, 10);
        monitor.Ended();
    }

    [Fact]
    public void Freeze_ContainerEnds_TheMonitorDoesNotWaitForTheClient()
    {
        using MonitorFixture monitor = new("read x <pipe");
        monitor.Started();
        using MonitorConnection freeze = MonitorClient.Freeze(monitor.Paths, monitor.Id);

        MonitorClient.Stop(monitor.Paths, monitor.Id, 9, 10);

        monitor.Ended();
    }

    [Fact]
    public void Restart_OnFailure_StartsAgainUntilTheCount()
    {
        using MonitorFixture monitor = new(
            "echo run; exit 4",
            settings: settings => settings with { RestartPolicy = new RestartPolicy { Condition = RestartCondition.OnFailure, MaximumRetryCount = 2 } });
        monitor.Started();
        using MonitorConnection? wait = MonitorClient.TryWait(monitor.Paths, monitor.Id, WaitCondition.NotRunning);

        Assert.Equal(4, MonitorClient.WaitForExit(wait!)!.Code);

        monitor.Ended();
        Assert.Equal(
            [ContainerState.Running, ContainerState.Restarting, ContainerState.Running, ContainerState.Restarting, ContainerState.Running, ContainerState.Exited],
            monitor.States);
        Assert.Equal(2, monitor.Host.Records[^1].RestartCount);
        Assert.Equal(3, File.ReadLines(monitor.Host.Settings.LogPath).Count());
    }

    [Fact]
    public void Notes_OfAStart_AreTheStarters_OfARestartTheRecords()
    {
        using MonitorFixture monitor = new(
            "exit 3",
            settings: settings => settings with { RestartPolicy = new RestartPolicy { Condition = RestartCondition.OnFailure, MaximumRetryCount = 1 } },
            notes: ["one", "another"]);

        FrameReader answer = new(monitor.Starter.Expect(FrameKind.Started));
        answer.Int32();
        Assert.Equal(["one", "another"], answer.Texts());
        monitor.Ended();

        Assert.Equal([null, "one; another"], monitor.Host.Records.Where(record => record.State == ContainerState.Running).Select(record => record.Error));
    }

    [Fact]
    public void Restart_Always_StoppedInTheBackOff_EndsAtOnce()
    {
        using MonitorFixture monitor = new(
            "exit 4", settings: settings => settings with { RestartPolicy = new RestartPolicy { Condition = RestartCondition.Always } });
        monitor.Started();
        MonitorFixture.Eventually(() => monitor.States.Count(state => state == ContainerState.Restarting) >= 4);

        MonitorClient.Stop(monitor.Paths, monitor.Id, 15, 10);

        monitor.Ended();
        Assert.Equal(ContainerState.Exited, monitor.States[^1]);
        Assert.Equal((4, true), (monitor.Host.Records[^1].ExitCode, monitor.Host.Records[^1].StoppedByUser));
    }

    [Fact]
    public void Restart_Always_KilledByHand_StaysDead()
    {
        using MonitorFixture monitor = new(
            "read x <pipe", settings: settings => settings with { RestartPolicy = new RestartPolicy { Condition = RestartCondition.Always } });
        monitor.Started();

        MonitorClient.Signal(monitor.Paths, monitor.Id, 9);

        Assert.Equal(ContainerState.Exited, monitor.States[^1]);
        monitor.Ended();
        Assert.Equal([ContainerState.Running, ContainerState.Exited], monitor.States);
    }

    [Fact]
    public void Restart_StartFailsThen_EndsWithTheReason()
    {
        using MonitorFixture monitor = new(
            "exit 1", settings: settings => settings with { RestartPolicy = new RestartPolicy { Condition = RestartCondition.Always } });
        monitor.Host.StartFailure = null;
        monitor.Started();
        monitor.Host.StartFailure = new EngineException(EngineErrorKind.System, "mount: EIO");

        monitor.Ended();
        Assert.Equal((ContainerState.Exited, 125, "mount: EIO"), (monitor.States[^1], monitor.Host.Records[^1].ExitCode, monitor.Host.Records[^1].Error));
    }

    [Fact]
    public void Client_SendsNonsense_LosesItsConversationOnly()
    {
        using MonitorFixture monitor = new("read x <pipe");
        monitor.Started();
        using MonitorConnection? bad = MonitorClient.TryConnect(monitor.Paths, monitor.Id);
        UnixSockets.TrySend(bad!.Socket, "GET / HTTP/1.1\r\n\r\n"u8, out _);
        Assert.False(bad.Receive());
        using MonitorConnection? wrong = MonitorClient.TryConnect(monitor.Paths, monitor.Id);
        wrong!.Send(new FrameWriter(FrameKind.Exited));
        Assert.False(wrong.Receive());

        Assert.Equal(ContainerState.Running, MonitorClient.Query(monitor.Paths, monitor.Id).State);
        MonitorClient.Stop(monitor.Paths, monitor.Id, 15, 10);
        monitor.Ended();
    }

    [Fact]
    public void Client_NoMonitor_IsNotRunning()
    {
        HullPaths paths = new("/nonexistent/hull", "/nonexistent/hull");

        Assert.Null(MonitorClient.TryConnect(paths, ContainerId.New()));
        Assert.Equal(EngineErrorKind.Conflict, Assert.Throws<EngineException>(() => MonitorClient.Pause(paths, ContainerId.New())).Kind);
    }
}
