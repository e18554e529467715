using System.Text.Json;
using Hull.Linux;
using Hull.Oci.RuntimeSpec;
using Hull.Runtime;
using Hull.Runtime.Bundles;
using Hull.Runtime.Cgroups;
using Microsoft.Win32.SafeHandles;

namespace Hull.Cli.Runtime;

/// <summary><c>hull runtime exec</c>: a further process in a container made from a bundle.</summary>
internal static class RuntimeExec
{
    private const int LargestProcess = 1 << 20;

    public static int Run(RuntimeArguments parsed, BundleRuntime runtime)
    {
        int preserved = InheritedDescriptors.Count(parsed, activated: 0);
        ContainerState state = runtime.Running(parsed.Id, paused: parsed.Has("--ignore-paused"));
        Spec spec = runtime.SpecOf(state.Id);
        Process process = ProcessOf(parsed, spec);
        TerminalRule.Check(process.Terminal == true, parsed.Has("--console-socket"), parsed.Has("--detach"));
        using SafeFileHandle init = PidFd.TryOpen(state.Pid)
            ?? throw new ContainerException(ContainerFault.Engine, "the container has ended");
        using SafeFileHandle? pidFdSocket = RuntimeCommand.Connect(parsed, "--pidfd-socket");
        using ContainerCgroup own = runtime.CgroupOf(state);
        using ContainerCgroup cgroup = own.Below(parsed.All("--cgroup"));
        cgroup.PrepareAttach();
        using RunningContainer running = ContainerExec.Start(new ExecRequest
        {
            Id = state.Id,
            Container = state.Document("running", state.Pid),
            InitPidFd = init,
            InitPid = state.Pid,
            Process = process,
            Personality = spec.Linux?.Personality,
            UserNamespace = spec.Linux?.Namespaces?.Any(n => n.Type == "user") == true,
            CallersKeyring = state.CallersKeyring,
            CloneIntoCgroup = cgroup.CloneTarget,
            InitCgroup = parsed.Option("--cgroup") is null ? () => own.OpenUnifiedOf(state.Pid) : null,
            SelfAttach = cgroup.SelfAttach,
            ConsoleSocket = RuntimeCommand.Connect(parsed, "--console-socket"),
            PreserveFds = preserved,
            Filter = spec.Linux?.Seccomp is { } profile
                ? SeccompFilter.Compile(profile, System.Runtime.InteropServices.RuntimeInformation.ProcessArchitecture)
                : null,
        });
        if (pidFdSocket is not null)
        {
            PidFdMessage.Send(pidFdSocket, running, first: false);
        }

        PidFile.Write(parsed.Option("--pid-file"), running.Pid);
        return parsed.Has("--detach") ? 0 : ForegroundWait.Run(running.PidFd, running.Terminal);
    }

    /// <summary>The spec's process with the command line's words in place of its own, or the file of --process.</summary>
    private static Process ProcessOf(RuntimeArguments parsed, Spec spec)
    {
        if (parsed.Option("--process") is { } file)
        {
            using SafeFileHandle handle = Files.Open(file, OpenFlags.ReadOnly);
            try
            {
                return SpecReader.ReadProcess(Files.ReadAll(handle, LargestProcess, file));
            }
            catch (JsonException error)
            {
                throw new ContainerException(ContainerFault.Engine, $"{file} is not a valid process: {error.Message}", error);
            }
        }

        Process process = spec.Process ?? throw new ContainerException(ContainerFault.Engine, "process: the spec has no process");
        if (parsed.Positionals.Count < 2)
        {
            throw new ContainerException(ContainerFault.Engine, "exec: give the container's id and a command, or --process FILE");
        }

        return process with
        {
            Args = [.. parsed.Positionals.Skip(1)],
            Terminal = parsed.Has("--tty"),
            Cwd = parsed.Option("--cwd") ?? process.Cwd,
            Env = [.. process.Env ?? [], .. parsed.All("--env")],
            User = WithGroups(parsed, parsed.Option("--user") is { } user ? UserOf(user) : process.User ?? new User()),
            NoNewPrivileges = parsed.Option("--no-new-privs") is null ? process.NoNewPrivileges : parsed.Has("--no-new-privs"),
            ApparmorProfile = parsed.Option("--apparmor") ?? process.ApparmorProfile,
            SelinuxLabel = parsed.Option("--process-label") ?? process.SelinuxLabel,
            Capabilities = WithAdded(parsed.All("--cap"), process.Capabilities),
        };
    }

    private static User WithGroups(RuntimeArguments parsed, User user)
    {
        List<uint> groups = [.. user.AdditionalGids ?? []];
        foreach (string text in parsed.All("--additional-gids"))
        {
            groups.Add(uint.TryParse(text, out uint gid) && gid <= int.MaxValue
                ? gid : throw new ContainerException(ContainerFault.Engine, $"--additional-gids {text}: expected a number"));
        }

        return user with { AdditionalGids = groups };
    }

    /// <summary>Into the sets in force; the inheritable and ambient ones stay as they are (CVE-2022-29162).</summary>
    private static Capabilities? WithAdded(IReadOnlyList<string> added, Capabilities? own)
    {
        if (added.FirstOrDefault(static name => !CapabilitySet.TryNumber(name, out _)) is { } unknown)
        {
            throw new ContainerException(ContainerFault.Engine, $"--cap {unknown}: unknown capability");
        }

        return added.Count == 0 ? own : (own ?? new Capabilities()) with
        {
            Bounding = [.. (own?.Bounding ?? []).Union(added)],
            Effective = [.. (own?.Effective ?? []).Union(added)],
            Permitted = [.. (own?.Permitted ?? []).Union(added)],
        };
    }

    private static User UserOf(string text)
    {
        string[] parts = text.Split(':');
        return uint.TryParse(parts[0], out uint uid) && uid <= int.MaxValue && (parts.Length == 1 || (parts.Length == 2 && uint.TryParse(parts[1], out _)))
            ? new User { Uid = uid, Gid = parts.Length == 2 ? uint.Parse(parts[1], System.Globalization.CultureInfo.InvariantCulture) : 0 }
            : throw new ContainerException(ContainerFault.Engine, $"--user {text}: expected UID or UID:GID in numbers");
    }
}
