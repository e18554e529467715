using System.Runtime.InteropServices;
using Hull.Engine.Containers;
using Hull.Linux;
using Hull.Oci.RuntimeSpec;
using Hull.Runtime;
using Microsoft.Win32.SafeHandles;

namespace Hull.Engine.Monitor;

/// <summary>Further processes beside init, and whom processes run as.</summary>
internal sealed partial class ContainerHost
{
    public Payload Exec(ExecRequest request)
    {
        Spec spec = _spec ?? throw EngineException.Conflict("the container is not running");
        List<string> environment = Environment(spec.Process!, request);
        using StreamEnds streams = request.Tty ? StreamEnds.None()
            : request.Streams == AttachStreams.None ? StreamEnds.Detached()
            : StreamEnds.Open((request.Streams & AttachStreams.Stdin) != 0);
        using RunningContainer process = ContainerExec.Start(new Runtime.ExecRequest
        {
            Id = _config.Id.Hex,
            Container = new State
            {
                OciVersion = spec.OciVersion,
                Id = _config.Id.Hex,
                Status = "running",
                Pid = _initPid,
                Bundle = _store.Paths.ContainerDirectory(_config.Id),
                Annotations = spec.Annotations,
            },
            InitPidFd = _initPidFd!,
            InitPid = _initPid,
            Process = spec.Process! with
            {
                Terminal = request.Tty ? true : null,
                ConsoleSize = SizeOf(request.Size),
                Args = request.Args,
                Env = environment,
                Cwd = request.WorkingDirectory ?? spec.Process.Cwd,
                Capabilities = request.Privileged ? AllCapabilities() : spec.Process.Capabilities,
                ApparmorProfile = request.Privileged ? null : spec.Process.ApparmorProfile,
            },
            UserNamespace = spec.Linux?.UidMappings is { Count: > 0 },
            CloneIntoCgroup = _cgroup!.CloneTarget,
            InitCgroup = () => _cgroup.OpenUnifiedOf(_initPid),
            SelfAttach = _cgroup.SelfAttach,
            Streams = streams.Child,
            ResolveUser = root => Resolve(request.User ?? _config.Payload.User, root, environment),
            Filter = _filter,
            DieWithParent = true,
        });
        return Take(process, streams, []);
    }

    /// <summary>The container's environment with the request's own entries in place of those of the same name.</summary>
    private static List<string> Environment(Process process, ExecRequest request)
    {
        List<string> environment = [];
        foreach (string entry in process.Env ?? [])
        {
            // HOME is of the user, and this may be another one; an entry that the user asked for comes again from the config.
            if (!Sets(request.Env, entry))
            {
                environment.Add(entry);
            }
        }

        if (request.Tty && !Sets(environment, "TERM=") && !Sets(request.Env, "TERM="))
        {
            environment.Add("TERM=xterm");
        }

        environment.AddRange(request.Env);
        return environment;
    }

    /// <summary>Whether a list has an entry of the same name.</summary>
    private static bool Sets(IReadOnlyList<string> entries, string entry)
    {
        int equals = entry.IndexOf('=', StringComparison.Ordinal);
        ReadOnlySpan<char> name = equals < 0 ? entry : entry.AsSpan(0, equals + 1);
        foreach (string other in entries)
        {
            if (other.AsSpan().StartsWith(name, StringComparison.Ordinal))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Looks the user up in the container's files and, where nobody has set it, gives the environment its HOME.</summary>
    /// <param name="environment">The list that the process's environment is built from after this call.</param>
    private ResolvedUser Resolve(string? user, SafeFileHandle root, List<string> environment)
    {
        ContainerUser found = UserSpec.Resolve(user, root, _config.Host.GroupAdd ?? []);
        if (!Sets(environment, "HOME="))
        {
            environment.Add("HOME=" + found.Home);
        }

        return new ResolvedUser(found.Uid, found.Gid, found.AdditionalGids);
    }

    private static Capabilities AllCapabilities()
    {
        IReadOnlyList<string> all = CapabilitySet.HostBounding().Names();
        return new Capabilities { Bounding = all, Permitted = all, Effective = all };
    }

    private static ConsoleSize? SizeOf(TerminalSize? size) =>
        size is TerminalSize known ? new ConsoleSize { Height = known.Rows, Width = known.Columns } : null;

    /// <summary>The filter for init and execs: Docker's, compiled ahead, or the spec's own, compiled once; null without one.</summary>
    private SeccompFilter? FilterOf(Spec spec, SpecHost from)
    {
        Architecture architecture = RuntimeInformation.ProcessArchitecture;
        if (SpecBuilder.SecurityOf(_config).DefaultSeccomp)
        {
            CapabilitySet capabilities = SpecBuilder.CapabilitiesOf(_config.Host, from.Capabilities);
            return new SeccompFilter(DefaultProfile.Program(capabilities, architecture, System.Environment.OSVersion.Version).ToArray(), 0);
        }

        return spec.Linux?.Seccomp is { } profile ? SeccompFilter.Compile(profile, architecture) : null;
    }
}
