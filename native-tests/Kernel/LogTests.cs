using System.Text.Json;
using Hull.Kernel.Tests.Harness;

namespace Hull.Kernel.Tests;

/// <summary><c>hull logs</c> and the json-file behind it; restart policies, which the logs show.</summary>
public sealed class LogTests(HullStore store) : KernelTest(store)
{
    [KernelFact(Needs.Root)]
    public void Logs_Streams_StayApart()
    {
        Store.Run("run", "--name", "box", Store.Busybox, "sh", "-c", "echo out; echo err >&2").Ok();

        RunResult logs = Store.Run("logs", "box");

        Assert.Equal(("out\n", "err\n"), (logs.Stdout, logs.Stderr));
    }

    [KernelFact(Needs.Root)]
    public void LogFile_Lines_AreDockersJson()
    {
        Store.Run("run", "--name", "box", Store.Busybox, "sh", "-c", "printf 'tab\\t quote\" \\001'; echo; printf no-end").Ok();
        string path = Inspect("box", "{{.LogPath}}");

        JsonElement[] lines = [.. File.ReadLines(path).Select(line => JsonDocument.Parse(line).RootElement)];

        Assert.Equal("tab\t quote\" \u0001\n", lines[0].GetProperty("log").GetString());
        Assert.Equal("no-end", lines[1].GetProperty("log").GetString());
        Assert.Equal("stdout", lines[0].GetProperty("stream").GetString());
        Assert.True(DateTimeOffset.TryParse(lines[0].GetProperty("time").GetString(), out _));
    }

    [KernelFact(Needs.Root)]
    public void Logs_Tail_IsTheLastLines()
    {
        Store.Run("run", "--name", "box", Store.Busybox, "seq", "1", "100").Ok();

        Assert.Equal("99\n100", Store.Run("logs", "--tail", "2", "box").Ok());
        Assert.Equal("", Store.Run("logs", "--tail", "0", "box").Ok());
    }

    [KernelFact(Needs.Root)]
    public void Logs_Timestamps_StandBeforeEachLine()
    {
        Store.Run("run", "--name", "box", Store.Busybox, "echo", "x").Ok();

        Assert.Matches(@"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z x$", Store.Run("logs", "-t", "box").Ok());
    }

    [KernelFact(Needs.Root)]
    public void LogsFollow_UntilTheEnd_ShowsAll()
    {
        Detached("box", null, "sh", "-c", "for i in 1 2 3 4 5; do echo $i; sleep 0.1; done");

        Assert.Equal("1\n2\n3\n4\n5", Store.Run("logs", "-f", "box").Ok());
    }

    [KernelFact(Needs.Root)]
    public void LogsFollow_Interrupted_EndsOnlyTheFollow()
    {
        Detached("box", null, "sh", "-c", "echo ready; sleep 1000");
        using HullProcess follow = Store.Start("logs", "-f", "box");
        follow.WaitForOutput("ready");

        Store.Shell($"kill -INT {follow.Pid}").Ok();
        follow.Finish();

        Assert.Equal("true", Inspect("box", "{{.State.Running}}"));
    }

    [KernelFact(Needs.Root)]
    public void LogOptions_SizeAndFiles_Rotate()
    {
        // Some 560 kB of log through files of 100 kB, two of them.
        Store.Run(60, "run", "--name", "box", "--log-opt", "max-size=100k", "--log-opt", "max-file=2", Store.Busybox,
            "sh", "-c", "seq 1 8000").Ok();
        string path = Inspect("box", "{{.LogPath}}");

        string[] files = Directory.GetFiles(Path.GetDirectoryName(path)!, Path.GetFileName(path) + "*");

        Assert.Equal(2, files.Length);
        Assert.All(files, file => Assert.InRange(new FileInfo(file).Length, 1, 110_000));
        Assert.EndsWith("\n8000", Store.Run("logs", "box").Ok(), StringComparison.Ordinal);
    }

    [KernelFact(Needs.Root)]
    public void RestartPolicy_OnFailure_RestartsThatOftenAndStops()
    {
        Detached("box", ["--restart", "on-failure:2"], "sh", "-c", "echo start; exit 1");

        Wait.Until(() => Inspect("box", "{{.State.Status}} {{.RestartCount}}") == "exited 2", 20, () => Inspect("box", "{{json .State}}"));

        Assert.Equal("start\nstart\nstart", Store.Run("logs", "box").Ok());
    }

    [KernelFact(Needs.Root)]
    public void RestartPolicy_OnFailureAndSuccess_DoesNotRestart()
    {
        Detached("box", ["--restart", "on-failure"], "true");

        Store.Run("wait", "box").Ok();

        Assert.Equal("0", Inspect("box", "{{.RestartCount}}"));
    }

    [KernelFact(Needs.Root)]
    public void RestartPolicy_AlwaysThenStopped_StaysDown()
    {
        Detached("box", ["--restart", "always"], "sh", "-c", "echo start; sleep 0.1");
        Wait.Until(() => Store.Run("logs", "box").Stdout.Split('\n').Length > 2, 20, () => "not restarted");

        Store.Run("stop", "-t", "1", "box").Ok();
        Thread.Sleep(600);

        Assert.Equal("exited", Inspect("box", "{{.State.Status}}"));
    }
}
