using System.Text.Json;
using Hull.Linux;
using Hull.Oci.RuntimeSpec;
using Hull.Runtime;
using Hull.Runtime.Bundles;

namespace Hull.Cli.Runtime;

/// <summary><c>hull runtime …</c>, also called as <c>hull-runtime</c>: runc's command line on OCI bundles.</summary>
/// <remarks>Parsed by hand: engines call it for every container, and a command-line library costs more than the container.</remarks>
internal static class RuntimeCommand
{
    private const string DefaultRoot = "/run/hull/runtime";

    /// <returns>The exit code: the payload's, or 1 for an error of the runtime as runc has it.</returns>
    public static int Run(IReadOnlyList<string> commandLine, ReadOnlySpan<string> args)
    {
        try
        {
            RuntimeArguments parsed = RuntimeArguments.Parse(args);
            string root = parsed.Option("--root") ?? Environment.GetEnvironmentVariable("HULL_RUNTIME_ROOT") ?? DefaultRoot;
            if (parsed.Verb is "create" or "run" or "exec")
            {
                SealedBinary.ReplaceProcess(commandLine);
            }

            return Execute(parsed, new BundleRuntime(root));
        }
        catch (Exception error) when (error is ContainerException or SyscallException or SpecExceptionAlias or CgroupExceptionAlias)
        {
            Write(2, $"hull runtime: {error.Message}\n");
            return 1;
        }
    }

    private static int Execute(RuntimeArguments parsed, BundleRuntime runtime)
    {
        switch (parsed.Verb)
        {
            case "create":
                runtime.Create(Options(parsed));
                return 0;
            case "run":
                return runtime.Run(Options(parsed), ForegroundWait.Run);
            case "start":
                runtime.Start(parsed.Id);
                return 0;
            case "state":
                Write(1, JsonSerializer.Serialize(runtime.State(parsed.Id), RuntimeSpecJson.Default.State) + "\n");
                return 0;
            case "kill":
                runtime.Kill(parsed.Id, SignalNames.Parse(parsed.Positional(1) ?? "SIGTERM"), parsed.Has("--all"));
                return 0;
            case "delete":
                runtime.Delete(parsed.Id, parsed.Has("--force"));
                return 0;
            default:
                throw new ContainerException(ContainerFault.Engine,
                    $"unknown command '{parsed.Verb}': use create, start, run, state, kill, delete or exec");
        }
    }
}
