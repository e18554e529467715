using System.Text.Json.Nodes;
using Hull.Kernel.Tests.Harness;

namespace Hull.Kernel.Tests;

/// <summary><c>-it</c>: a real terminal inside, driven from one outside.</summary>
public sealed class TerminalTests(HullStore store) : KernelTest(store)
{
    private const string ControlC = "\u0003";
    private const string DetachKeys = "\u0010\u0011";

    private Pty Terminal(params string[] arguments) => new(Repository.Hull, arguments, Store.Environment());

    [KernelFact(Needs.Root)]
    public void Run_Terminal_IsTheContainersOwnPty()
    {
        using Pty pty = Terminal("run", "--rm", "-it", Store.Busybox, "sh", "-c", "tty; stat -c %t:%T /dev/console; test -t 0 && test -t 1 && test -t 2 && echo three");

        Assert.Equal(0, pty.Finish());
        Assert.Contains("/dev/pts/0", pty.Output, StringComparison.Ordinal);
        Assert.Contains("three", pty.Output, StringComparison.Ordinal);
    }

    [KernelFact(Needs.Root)]
    public void Run_TerminalSize_FollowsTheOuterOne()
    {
        using Pty pty = Terminal("run", "--rm", "-it", Store.Busybox, "sh", "-c", "trap 'stty size' WINCH; echo ready; while :; do sleep 0.1; done");
        pty.WaitForOutput("ready");

        pty.Resize(41, 123);

        pty.WaitForOutput("41 123");
    }

    [KernelFact(Needs.Root)]
    public void Run_TerminalSize_IsRightFromTheStart()
    {
        using Pty pty = new(Repository.Hull, ["run", "--rm", "-it", Store.Busybox, "stty", "size"], Store.Environment(), rows: 37, columns: 111);

        pty.WaitForOutput("37 111");
        Assert.Equal(0, pty.Finish());
    }

    [KernelFact(Needs.Root)]
    public void RuntimeRunAndExec_Terminal_IsOursInTheForeground()
    {
        Bundle bundle = new(Store, "ls -l /proc/self/fd/0; while read line; do echo got-$line; done; exit 5");
        bundle.Config["process"]!["terminal"] = true;
        bundle.Config["mounts"]!.AsArray().Add(new JsonObject
        {
            ["destination"] = "/dev/pts",
            ["type"] = "devpts",
            ["source"] = "devpts",
            ["options"] = new JsonArray("newinstance", "ptmxmode=0666", "mode=0620"),
        });
        bundle.Write();
        string[] runtime = ["runtime", "--root", Store.RuntimeRoot];
        using Pty pty = new(Repository.Hull, [.. runtime, "run", "--bundle", bundle.Directory, bundle.Id], Store.Environment(), rows: 37, columns: 111);
        pty.WaitForOutput("/dev/pts/0");
        pty.Type("one\r");
        pty.WaitForOutput("got-one");

        using (Pty exec = new(Repository.Hull, [.. runtime, "exec", "-t", bundle.Id, "sh", "-c", "ls -l /proc/self/fd/0; read x; exit $x"], Store.Environment()))
        {
            exec.WaitForOutput("/dev/pts/1");
            exec.Type("9\r");
            Assert.Equal(9, exec.Finish());
        }

        pty.Type("\u0004");
        Assert.Equal(5, pty.Finish());
    }

    [KernelFact(Needs.Root)]
    public void RuntimeCreate_TerminalThatNobodyHolds_IsRefused()
    {
        Bundle bundle = new(Store, "true");
        bundle.Config["process"]!["terminal"] = true;
        bundle.Write();

        bundle.Call("create", "--bundle", bundle.Directory, bundle.Id).Fails(1, "give --console-socket");
        bundle.Call("run", "-d", "--bundle", bundle.Directory, bundle.Id).Fails(1, "give --console-socket");
    }

    [KernelFact(Needs.Root)]
    public void Run_ControlC_InterruptsTheForegroundProcessInside()
    {
        using Pty pty = Terminal("run", "--rm", "-it", Store.Busybox, "sh");
        pty.WaitForOutput("# ");
        pty.Type("sleep 1000\r");
        pty.WaitForOutput("sleep 1000");
        Thread.Sleep(200 * Machine.TimeScale);

        pty.Type(ControlC);
        pty.Type("echo still-$((40 + 2))\r");

        pty.WaitForOutput("still-42");
        pty.Type("exit 12\r");
        Assert.Equal(12, pty.Finish());
    }

    [KernelTheory(Needs.Root)]
    [InlineData("exit 0")]
    [InlineData("exit 3")]
    [InlineData("stty -echo; exit 0")]
    public void Run_AtTheEnd_OuterTerminalIsAsBefore(string script)
    {
        using Pty pty = new("/bin/sh", ["-c", $"stty -g; $HULL run --rm -it {Store.Busybox} sh -c '{script}'; stty -g"], Store.Environment());

        pty.Finish();

        string[] modes = [.. pty.Output.Split("\r\n").Where(line => line.Count(character => character == ':') > 10)];
        Assert.Equal(2, modes.Length);
        Assert.Equal(modes[0], modes[1]);
    }

    [KernelFact(Needs.Root)]
    public void Run_DetachKeys_LeaveItRunningAndAttachComesBack()
    {
        using (Pty pty = Terminal("run", "-it", "--name", "box", Store.Busybox, "sh"))
        {
            pty.WaitForOutput("# ");
            pty.Type("echo first-$((1 + 1))\r");
            pty.WaitForOutput("first-2");
            pty.Type(DetachKeys);
            Assert.Equal(0, pty.Finish());
        }

        Assert.Equal("true", Inspect("box", "{{.State.Running}}"));

        using Pty again = Terminal("attach", "box");
        again.Type("echo second-$((2 + 1))\r");
        again.WaitForOutput("second-3");
        again.Type("exit 9\r");
        Assert.Equal(9, again.Finish());
    }

    [KernelFact(Needs.Root)]
    public void Exec_Terminal_IsAnotherPty()
    {
        Detached("box");
        using Pty pty = Terminal("exec", "-it", "box", "sh");
        pty.WaitForOutput("# ");
        pty.Type("tty; stty size\r");
        pty.WaitForOutput("/dev/pts/");
        pty.WaitForOutput("24 80");

        pty.Type("exit 4\r");

        Assert.Equal(4, pty.Finish());
    }

    [KernelFact(Needs.Root)]
    public void Exec_TerminalResize_ReachesIt()
    {
        Detached("box");
        using Pty pty = Terminal("exec", "-it", "box", "sh", "-c", "echo ready; while :; do stty size; sleep 0.1; done");
        pty.WaitForOutput("ready");

        pty.Resize(50, 132);

        pty.WaitForOutput("50 132");
        pty.Type(ControlC);
        pty.Finish();
    }

    [KernelFact(Needs.Root)]
    public void Run_TerminalWithoutOne_SaysSo()
    {
        RunResult result = Store.Run("run", "--rm", "-it", Store.Busybox, "true");

        Assert.Equal(1, result.ExitCode);
        Assert.Contains("TTY", result.Stderr, StringComparison.OrdinalIgnoreCase);
    }

    [KernelFact(Needs.Root)]
    public void Run_InteractiveShell_HasJobControl()
    {
        using Pty pty = Terminal("run", "--rm", "-it", Store.Busybox, "sh", "-i");
        pty.WaitForOutput("# ");
        pty.Type("sleep 1000 &\r");
        pty.Type("jobs; kill %1; echo done-$((3 + 4))\r");

        pty.WaitForOutput("Running");
        pty.WaitForOutput("done-7");
        Assert.DoesNotContain("job control turned off", pty.Output, StringComparison.Ordinal);
        pty.Type("exit\r");
        pty.Finish();
    }
}
