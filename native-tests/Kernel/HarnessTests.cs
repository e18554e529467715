using Hull.Kernel.Tests.Harness;

namespace Hull.Kernel.Tests;

/// <summary>The harness itself: what the other tests rely on.</summary>
public sealed class HarnessTests
{
    private static readonly Dictionary<string, string?> Nothing = [];

    [KernelFact(Needs.Root)]
    public void Pty_ShellWithTerminal_IsSessionLeaderOnIt()
    {
        using Pty pty = new("/bin/sh", ["-c", "stty size; tty; read x; echo got-$x; exit 7"], Nothing, rows: 33, columns: 99);

        pty.WaitForOutput("33 99");
        pty.WaitForOutput(pty.SlavePath);
        pty.Type("word\r");
        pty.WaitForOutput("got-word");

        Assert.Equal(7, pty.Finish());
    }

    [KernelFact(Needs.Root)]
    public void Pty_ControlC_InterruptsForegroundProcess()
    {
        using Pty pty = new("/bin/sh", ["-c", "echo ready; exec sleep 100"], Nothing);
        pty.WaitForOutput("ready");

        pty.Type("\u0003");

        Assert.Equal(130, pty.Finish());
    }

    [KernelFact(Needs.Root)]
    public void Process_OutputAndExitCode_AreCaptured()
    {
        using HullProcess process = new("/bin/sh", ["-c", "cat; echo err >&2; exit 3"], Nothing);
        process.Write("in\n");
        process.CloseInput();

        RunResult result = process.Finish();

        Assert.Equal((3, "in\n", "err\n"), (result.ExitCode, result.Stdout, result.Stderr));
    }
}
