using System.Text;
using Hull.Engine;
using Hull.Linux;
using Hull.Oci;
using Hull.Runtime;
using Hull.Runtime.Bundles;
using Hull.Runtime.Cgroups;
using Microsoft.Win32.SafeHandles;

namespace Hull.Cli.Runtime;

/// <summary><c>hull runtime …</c>, also called as <c>hull-runtime</c>: runc's command line on OCI bundles.</summary>
/// <remarks>Parsed by hand: engines call it for every container, and a command-line library costs more than the container.</remarks>
internal static class RuntimeCommand
{
    private const string DefaultRoot = "/run/hull/runtime";

    /// <summary>Whether the process was called as <c>hull runtime …</c> or under the name <c>hull-runtime</c>.</summary>
    /// <param name="skip">How many arguments come before the runtime's own.</param>
    public static bool IsCalled(IReadOnlyList<string> args, out int skip)
    {
        skip = args.Count > 0 && args[0] == "runtime" ? 1 : 0;
        return skip == 1 || Path.GetFileName(Environment.GetCommandLineArgs()[0].AsSpan()).SequenceEqual("hull-runtime");
    }

    /// <returns>The exit code: the payload's, or 1 for an error of the runtime as runc has it.</returns>
    public static int Run(ReadOnlySpan<string> args)
    {
        RuntimeLog log = RuntimeLog.None;
        try
        {
            RuntimeArguments parsed = RuntimeArguments.Parse(args, out ContainerException? wrong);
            log = RuntimeLog.For(parsed);
            if (wrong is not null)
            {
                throw wrong;
            }

            log.Debug($"hull runtime {parsed.Verb} {string.Join(' ', parsed.Positionals)}");
            RefuseWhatIsNotDone(parsed);
            string root = parsed.Option("--root") ?? Environment.GetEnvironmentVariable("HULL_RUNTIME_ROOT") ?? DefaultRoot;
            if (parsed.Verb is "create" or "run" or "exec" && !parsed.Has("--help"))
            {
                SealedBinary.SealProcess(Environment.GetCommandLineArgs());
            }

            return Execute(parsed, new BundleRuntime(root) { Warn = log.Warning, Systemd = parsed.Has("--systemd-cgroup") });
        }
        catch (Exception error) when (error is ContainerException or SyscallException or SpecException or CgroupException or EngineException or IOException)
        {
            log.Error(error.Message);
            Write(2, $"hull runtime: {error.Message}\n");
            return 1;
        }
    }

    /// <summary>Options of runc that ask for something else than hull would do.</summary>
    private static void RefuseWhatIsNotDone(RuntimeArguments parsed)
    {
        string? reason = parsed.Has("--no-pivot")
            // chroot(2) does not keep in a process that may call it, and the mount namespace would keep the host's root.
            ? "--no-pivot: the host's root would stay in the container's mount namespace; hull always pivots: on an initramfs, "
                + "first move to a root on a tmpfs (switch_root(8))"
            : parsed.Verb is not "spec" && parsed.Option("--rootless") is { } rootless && rootless is not ("auto" or "false")
                ? rootless == "true"
                    ? "--rootless true: a cgroup that cannot be made or limited is always an error here; leave the option out"
                    : $"--rootless {rootless}: true, false and auto are possible"
                : null;
        if (reason is not null)
        {
            throw new ContainerException(ContainerFault.Engine, reason);
        }
    }

    private static int Execute(RuntimeArguments parsed, BundleRuntime runtime)
    {
        if (parsed.Has("--help"))
        {
            Write(1, RuntimeHelp.Text);
            return 0;
        }

        switch (parsed.Verb)
        {
            case "create":
                runtime.Create(Options(parsed));
                return 0;
            case "run":
                return runtime.Run(Options(parsed), (container, notify) => ForegroundWait.Run(container.PidFd, container.Terminal, notify));
            case "start":
                runtime.Start(parsed.Id, NotifySocket());
                return 0;
            case "state":
                RuntimeState.Write(runtime.Find(parsed.Id));
                return 0;
            case "kill":
                runtime.Kill(parsed.Id, SignalOf(parsed.Positional(1) ?? "SIGTERM"), parsed.Has("--all"));
                return 0;
            case "delete":
                runtime.Delete(parsed.Id, parsed.Has("--force"));
                return 0;
            case "exec":
                return RuntimeExec.Run(parsed, runtime);
            case "list":
                RuntimeList.Write(runtime, parsed);
                return 0;
            case "ps":
                RuntimeProcesses.Write(runtime.ProcessIds(parsed.Id), parsed);
                return 0;
            case "pause":
                runtime.Pause(parsed.Id);
                return 0;
            case "resume":
                runtime.Resume(parsed.Id);
                return 0;
            case "events":
                RuntimeEvents.Run(parsed, runtime);
                return 0;
            case "features":
                Write(1, Encoding.UTF8.GetString(RuntimeFeaturesDocument.Text()));
                return 0;
            case "update":
                RuntimeUpdate.Run(parsed, runtime);
                return 0;
            case "checkpoint":
                runtime.Checkpoint(RuntimeCheckpoint.Dump(parsed));
                return 0;
            case "restore":
                return runtime.Restore(RuntimeCheckpoint.Restore(parsed), process => ForegroundWait.Run(process, terminal: null));
            case "spec":
                SpecTemplate.WriteTo(parsed.Option("--bundle") ?? ".", rootless: parsed.Has("--rootless"));
                return 0;
            case "" when parsed.Has("--version"):
                Write(1, RuntimeHelp.Version);
                return 0;
            case "" or "help":
                Write(1, RuntimeHelp.Text);
                return 0;
            default:
                throw new System.Diagnostics.UnreachableException($"{parsed.Verb} is in the table of verbs and has no action");
        }
    }

    private static CreateOptions Options(RuntimeArguments parsed)
    {
        int activated = InheritedDescriptors.Activated();
        return new CreateOptions
        {
            PreserveFds = InheritedDescriptors.Count(parsed, activated),
            ActivatedFds = activated,
            Id = parsed.Id,
            Bundle = Path.GetFullPath(parsed.Option("--bundle") ?? "."),
            PidFile = parsed.Option("--pid-file"),
            ConsoleSocket = Connect(parsed, "--console-socket"),
            PidFdSocket = Connect(parsed, "--pidfd-socket"),
            Detach = parsed.Verb == "create" || parsed.Has("--detach"),
            Keep = parsed.Has("--keep"),
            CallersKeyring = parsed.Has("--no-new-keyring"),
            NotifySocket = NotifySocket(),
        };
    }

    /// <summary>Where the service manager that started us waits to hear of readiness (sd_notify(3)).</summary>
    private static string? NotifySocket() => Environment.GetEnvironmentVariable("NOTIFY_SOCKET") is { Length: > 0 } address ? address : null;

    /// <summary>The socket of an option, or null where it was not given.</summary>
    internal static SafeFileHandle? Connect(RuntimeArguments parsed, string option)
    {
        if (parsed.Option(option) is not { } path)
        {
            return null;
        }

        return UnixSockets.TryConnect(Path.GetFullPath(path))
            ?? throw new ContainerException(ContainerFault.Engine, $"{option} {path}: nobody listens there");
    }

    private static int SignalOf(string text) => SignalNames.TryParse(text, out int signal)
        ? signal
        : throw new ContainerException(ContainerFault.Engine, $"unknown signal '{text}'");

    internal static void Write(int descriptor, string text)
    {
        using SafeFileHandle output = new(descriptor, ownsHandle: false);
        Files.Write(output, Encoding.UTF8.GetBytes(text));
    }
}
