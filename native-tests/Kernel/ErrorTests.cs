using Hull.Kernel.Tests.Harness;

namespace Hull.Kernel.Tests;

/// <summary>Errors a person can act on: the exit code docker has, what failed, why, and what to do; never a stack trace.</summary>
public sealed class ErrorTests(HullStore store) : KernelTest(store)
{
    /// <summary>A directory with a program of that content, mounted at /given.</summary>
    private string[] WithProgram(byte[] content, bool executable = true)
    {
        string directory = Path.Combine(Store.Scratch, "given");
        Directory.CreateDirectory(directory);
        string path = Path.Combine(directory, "program");
        File.WriteAllBytes(path, content);
        File.SetUnixFileMode(path, executable ? (UnixFileMode)0b111_101_101 : (UnixFileMode)0b110_100_100);
        return ["run", "--rm", "-v", $"{directory}:/given", Store.Busybox, "/given/program"];
    }

    private string[] WithProgram(string content, bool executable = true) => WithProgram(System.Text.Encoding.ASCII.GetBytes(content), executable);

    [KernelFact(Needs.Root)]
    public void Command_NotFound_Exits127()
    {
        Store.Run("run", "--rm", Store.Busybox, "no-such-program").Fails(127, "no-such-program", "PATH");
    }

    [KernelFact(Needs.Root)]
    public void Command_PathNotFound_Exits127()
    {
        Store.Run("run", "--rm", Store.Busybox, "/no/such/program").Fails(127, "/no/such/program");
    }

    [KernelFact(Needs.Root)]
    public void Command_IsDirectory_Exits126()
    {
        Store.Run("run", "--rm", Store.Busybox, "/etc").Fails(126, "/etc", "is a directory");
    }

    [KernelFact(Needs.Root)]
    public void Command_NotExecutable_Exits126()
    {
        Store.Run(WithProgram("#!/bin/sh\n", executable: false)).Fails(126, "/given/program", "permission denied");
    }

    [KernelFact(Needs.Root)]
    public void Command_EmptyFile_Exits126()
    {
        Store.Run(WithProgram("")).Fails(126, "/given/program", "empty");
    }

    [KernelFact(Needs.Root)]
    public void Command_ScriptInterpreterMissing_NamesIt()
    {
        Store.Run(WithProgram("#!/usr/bin/perl -w\nprint 1;\n")).Fails(127, "/given/program", "/usr/bin/perl");
    }

    [KernelFact(Needs.Root)]
    public void Command_ScriptWithCrlf_SaysSo()
    {
        Store.Run(WithProgram("#!/bin/sh\r\necho x\r\n")).Fails(127, "/given/program", "CRLF");
    }

    [KernelFact(Needs.Root)]
    public void Command_ScriptWithoutInterpreterLine_SaysSo()
    {
        Store.Run(WithProgram("echo x\n")).Fails(126, "/given/program", "exec format error");
    }

    [KernelFact(Needs.Root)]
    public void Command_DynamicProgramWithoutLoader_NamesTheLoader()
    {
        // A dynamic program of this machine: busybox's root has no loader.
        Store.Run(WithProgram(File.ReadAllBytes("/bin/cat"))).Fails(127, "/given/program", "loader", "ld-linux");
    }

    [KernelFact(Needs.Root)]
    public void Command_ForAnotherArchitecture_NamesBoth()
    {
        byte[] program = File.ReadAllBytes("/bin/busybox");

        // e_machine, at offset 18 of the ELF header: 243 is RISC-V.
        program[18] = 243;
        program[19] = 0;

        Store.Run(WithProgram(program)).Fails(126, "/given/program", "exec format error");
    }

    [KernelFact(Needs.Root)]
    public void Image_NotFoundAnywhere_Exits125()
    {
        Store.Run("run", "--rm", "--pull", "never", "nowhere/to-be-found:1", "true").Fails(125, "nowhere/to-be-found:1");
    }

    [KernelFact(Needs.Root)]
    public void Registry_Unreachable_SaysWhere()
    {
        // Port 1 of loopback: nothing listens.
        Store.Run("run", "--rm", "127.0.0.1:1/some/image", "true").Fails(125, "127.0.0.1:1");
        Store.Run("pull", "127.0.0.1:1/some/image").Fails(1, "127.0.0.1:1");
    }

    [KernelFact(Needs.Root)]
    public void Name_InUse_NamesTheOwner()
    {
        string id = Detached("taken");

        Store.Run("run", "--name", "taken", Store.Busybox, "true").Fails(125, "taken", "in use", id[..12]);
    }

    [KernelTheory(Needs.Root)]
    [InlineData("bad name")]
    [InlineData("-x")]
    [InlineData("a/b")]
    [InlineData("..")]
    [InlineData("x")]
    public void Name_Invalid_Exits125(string name)
    {
        Store.Run("run", "--rm", $"--name={name}", Store.Busybox, "true").Fails(125, name);
    }

    [KernelFact(Needs.Root)]
    public void Container_Unknown_OffersTheNearestNames()
    {
        Detached("webserver");

        Store.Run("stop", "webservr").Fails(1, "No such container: webservr", "webserver");
    }

    [KernelFact(Needs.Root)]
    public void Container_UnknownButAnImage_SaysSo()
    {
        Store.Run("start", Store.Busybox).Fails(1, "No such container: busybox", "image");
    }

    [KernelTheory(Needs.Root)]
    [InlineData("inspect", "nothing")]
    [InlineData("rm", "nothing")]
    [InlineData("logs", "nothing")]
    [InlineData("exec", "nothing", "true")]
    [InlineData("attach", "nothing")]
    [InlineData("kill", "nothing")]
    [InlineData("wait", "nothing")]
    [InlineData("top", "nothing")]
    [InlineData("pause", "nothing")]
    [InlineData("unpause", "nothing")]
    [InlineData("restart", "nothing")]
    [InlineData("start", "nothing")]
    public void Container_Unknown_ExitsWith1(params string[] arguments)
    {
        Store.Run(arguments).Fails(1, "nothing");
    }

    [KernelFact(Needs.Root)]
    public void Root_Missing_SaysSo()
    {
        // As nobody, on a state directory that is nobody's own to make.
        RunResult result = Store.Shell($"setpriv --reuid=65534 --regid=65534 --clear-groups $HULL run --rm busybox true");

        result.Fails(125, "root");
    }

    [KernelTheory(Needs.Root)]
    [InlineData("-m", "1")]
    [InlineData("-m", "lots")]
    [InlineData("--cpus", "-1")]
    [InlineData("--cpus", "1000000")]
    [InlineData("--ulimit", "nofile=10:5")]
    [InlineData("--ulimit", "nonsense=1")]
    [InlineData("--restart", "sometimes")]
    [InlineData("--network", "container:absent")]
    [InlineData("--pid", "container:absent")]
    [InlineData("-v", "relative/path:/x")]
    [InlineData("-v", "/x:relative")]
    [InlineData("--mount", "type=bind,target=/x")]
    [InlineData("--device", "/dev/null:/dev/x:q")]
    [InlineData("--security-opt", "seccomp=/no/such/file")]
    [InlineData("--security-opt", "nonsense")]
    [InlineData("--env-file", "/no/such/file")]
    [InlineData("-u", "no-such-user")]
    [InlineData("-u", "4294967296")]
    [InlineData("-w", "relative")]
    [InlineData("--log-opt", "max-size=much")]
    [InlineData("--cpuset-cpus", "0-2147483647")]
    public void Flag_WithBadValue_Exits125AndLeavesNothing(string flag, string value)
    {
        RunResult result = Store.Run("run", "--rm", flag, value, Store.Busybox, "true");

        // docker has 126 and 127 for what init refuses, 125 for all that the engine refuses.
        result.Fails(125);
        Assert.NotEqual("", result.Stderr);
        Assert.Equal("", Store.Run("ps", "-aq").Ok());
    }

    [KernelTheory(Needs.Root)]
    [InlineData("run", "--no-such-flag", "busybox")]
    [InlineData("run", "--name")]
    public void CommandLine_Wrong_Exits125(params string[] arguments)
    {
        Store.Run(arguments).Fails(125, "--help");
    }

    [KernelFact(Needs.Root)]
    public void Command_Unknown_OffersTheNearest()
    {
        Store.Run("rnu", "busybox").Fails(1, "rnu", "run");
    }

    [KernelFact(Needs.Root)]
    public void State_OfARefusedRun_IsNotLeft()
    {
        Store.Run("run", "--name", "gone", Store.Busybox, "no-such-program").Fails(127);

        // As docker: without --rm the created container stays, to be inspected, and says why.
        Assert.Equal("created 127", Inspect("gone", "{{.State.Status}} {{.State.ExitCode}}"));
    }
}
