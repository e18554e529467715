using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using Hull.Linux;
using Hull.Oci;
using Hull.Oci.RuntimeSpec;
using Hull.Runtime;

namespace Hull.Engine.Containers;

/// <summary>Turns a <see cref="ContainerConfig"/> into the OCI spec of its next start, with Docker's defaults.</summary>
/// <remarks>Decides, and touches nothing: the same config and host give the same spec. What only the rootfs knows (the numbers
/// behind a user's name, HOME) the runtime adds.</remarks>
public sealed partial class SpecBuilder
{
    private readonly ContainerConfig _config;
    private readonly HostConfig _host;
    private readonly SpecHost _from;
    private readonly HullPaths _paths;
    private readonly SecurityOptions _security;
    private readonly IReadOnlyList<IdMapping>? _mappings;

    private SpecBuilder(ContainerConfig config, HullPaths paths, SpecHost from)
    {
        _config = config;
        _host = config.Host;
        _paths = paths;
        _from = from;
        _security = SecurityOptions.Parse(_host.SecurityOpt);
        _mappings = UserNamespaceMapping.Parse(_host.UsernsMode);
    }

    /// <summary>The spec. Its seccomp filter is absent where <see cref="SecurityOf"/> says that the default one applies: the
    /// caller has that one compiled already.</summary>
    /// <exception cref="EngineException">What was asked for cannot be had on this host any more.</exception>
    public static Spec Build(ContainerConfig config, HullPaths paths, SpecHost from) => new SpecBuilder(config, paths, from).Build();

    /// <summary>What --security-opt says; privileged turns the default filter off.</summary>
    public static SecurityOptions SecurityOf(ContainerConfig config)
    {
        SecurityOptions options = SecurityOptions.Parse(config.Host.SecurityOpt);
        return config.Host.Privileged && options.DefaultSeccomp ? options with { DefaultSeccomp = false } : options;
    }

    /// <summary>Bounding, permitted and effective set of the container's root.</summary>
    public static CapabilitySet CapabilitiesOf(HostConfig host, CapabilitySet available)
    {
        try
        {
            return CapabilityChoice.Resolve(host.CapAdd ?? [], host.CapDrop ?? [], host.Privileged, available);
        }
        catch (ArgumentException e)
        {
            throw EngineException.Invalid(e.Message.Replace(" (Parameter 'names')", "", StringComparison.Ordinal)
                .Replace(" (Parameter 'add')", "", StringComparison.Ordinal), e);
        }
    }

    /// <summary>The profile of <c>seccomp=FILE</c>, read; null where it is the default one or none.</summary>
    /// <exception cref="EngineException">Invalid: not a profile.</exception>
    internal static SeccompDocument? ReadSeccomp(SecurityOptions options)
    {
        try
        {
            return options.SeccompProfile is { } text ? SeccompDocument.Parse(Encoding.UTF8.GetBytes(text), "seccomp profile") : null;
        }
        catch (SpecException e)
        {
            throw EngineException.Invalid($"Decoding seccomp profile failed: {e.Message}", e);
        }
    }

    /// <summary>The spec with the default filter written out, where it applies: for people to read.</summary>
    internal static Spec WithDefaultSeccomp(Spec spec, ContainerConfig config, SpecHost from) => !SecurityOf(config).DefaultSeccomp
        ? spec
        : spec with
        {
            Linux = spec.Linux! with
            {
                Seccomp = DefaultProfile.For(
                    CapabilitiesOf(config.Host, from.Capabilities), RuntimeInformation.ProcessArchitecture, System.Environment.OSVersion.Version),
            },
        };

    private Seccomp? CustomSeccomp()
    {
        try
        {
            return ReadSeccomp(_security)?.Resolve(
                CapabilitiesOf(_host, _from.Capabilities), RuntimeInformation.ProcessArchitecture, System.Environment.OSVersion.Version);
        }
        catch (SpecException e)
        {
            throw EngineException.Invalid($"seccomp profile: {e.Message}", e);
        }
    }

    private Spec Build()
    {
        List<LinuxDevice> devices = [];
        List<DeviceRule> rules = [];
        AddDevices(devices, rules);
        return new Spec
        {
            OciVersion = SpecDefaults.OciVersion,
            Root = new Root { Path = "rootfs", Readonly = _host.ReadonlyRootfs ? true : null },
            Hostname = _host.UtsMode == "host" || _config.Hostname.Length == 0 ? null : _config.Hostname,
            Domainname = _host.UtsMode == "host" ? null : _config.Payload.Domainname is { Length: > 0 } domain ? domain : null,
            Process = Process(),
            Mounts = Mounts(),
            Annotations = _host.Annotations is { Count: > 0 } annotations ? annotations : null,
            Linux = new LinuxConfig
            {
                Namespaces = NamespaceModes.ToSpec(_host, _from),
                UidMappings = _mappings,
                GidMappings = _mappings,
                Devices = devices.Count > 0 ? devices : null,
                CgroupsPath = HullPaths.CgroupPath(_host.CgroupParent, _config.Id),
                Resources = ResourceLimits.ToSpec(_host.Resources, rules, _from.Stat),
                Seccomp = CustomSeccomp(),
                Sysctl = Sysctl(),
                MaskedPaths = MaskedPaths(),
                ReadonlyPaths = Unconfined ? null : _host.ReadonlyPaths ?? SpecDefaults.ReadonlyPaths,
                RootfsPropagation = RootPropagation(),
            },
        };
    }

    private bool Unconfined => _host.Privileged || _security.SystemPathsUnconfined;

    private Process Process()
    {
        IReadOnlyList<string> capabilities = CapabilitiesOf(_host, _from.Capabilities).Names();
        return new Process
        {
            Terminal = _config.Payload.Tty ? true : null,
            Cwd = _config.Payload.WorkingDirectory is { Length: > 0 } directory ? ContainerPath.Clean(directory) : "/",
            Args = _config.Args,
            Env = Environment(),
            // Inheritable and ambient stay empty: file capabilities would give them back to users other than root (CVE-2022-24769).
            Capabilities = new Capabilities { Bounding = capabilities, Permitted = capabilities, Effective = capabilities },
            NoNewPrivileges = _security.NoNewPrivileges ? true : null,
            Rlimits = Rlimits(),
            OomScoreAdj = _host.OomScoreAdj,
            ApparmorProfile = AppArmorProfile(),
        };
    }

    /// <summary>Docker's order: PATH, HOSTNAME, TERM, each only where nobody else sets it, then image and request.</summary>
    private List<string> Environment()
    {
        IReadOnlyList<string> given = _config.Payload.Env ?? [];
        List<string> env = new(given.Count + 3);
        AddUnlessGiven(env, given, SpecDefaults.Path);
        if (_config.Hostname.Length > 0)
        {
            AddUnlessGiven(env, given, "HOSTNAME=" + _config.Hostname);
        }

        if (_config.Payload.Tty)
        {
            AddUnlessGiven(env, given, "TERM=xterm");
        }

        env.AddRange(given);
        return env;
    }

    private static void AddUnlessGiven(List<string> env, IReadOnlyList<string> given, string entry)
    {
        ReadOnlySpan<char> key = entry.AsSpan(0, entry.IndexOf('=', StringComparison.Ordinal) + 1);
        for (int i = 0; i < given.Count; i++)
        {
            if (given[i].AsSpan().StartsWith(key, StringComparison.Ordinal))
            {
                return;
            }
        }

        env.Add(entry);
    }

    private List<Rlimit>? Rlimits()
    {
        if (_host.Ulimits is not { Count: > 0 } ulimits)
        {
            return null;
        }

        List<Rlimit> limits = new(ulimits.Count);
        foreach (Ulimit ulimit in ulimits)
        {
            limits.Add(new Rlimit { Type = "RLIMIT_" + ulimit.Name.ToUpperInvariant(), Soft = unchecked((ulong)ulimit.Soft), Hard = unchecked((ulong)ulimit.Hard) });
        }

        return limits;
    }

    private string? AppArmorProfile() => _security.AppArmor switch
    {
        "unconfined" => null,
        null when _host.Privileged => null,
        string or null => _from.AppArmorProfile(_security.AppArmor),
    };

    /// <summary>Docker's defaults for a network namespace of its own: ports below 1024 and ping need no privilege in it.</summary>
    private Dictionary<string, string>? Sysctl()
    {
        bool ownNetwork = !_host.IsHostNetwork && NamespaceModes.Joined(_host.NetworkMode) is null;
        if (!ownNetwork && _host.Sysctls is not { Count: > 0 })
        {
            return null;
        }

        Dictionary<string, string> sysctls = new(StringComparer.Ordinal);
        if (ownNetwork && !_host.Privileged)
        {
            sysctls["net.ipv4.ip_unprivileged_port_start"] = "0";
            if (_mappings is null)
            {
                // The range is of host ids: in a user namespace the upper end is not mapped and the write is refused.
                sysctls["net.ipv4.ping_group_range"] = "0 2147483647";
            }
        }

        if (_host.Sysctls is { } asked)
        {
            foreach (KeyValuePair<string, string> pair in asked)
            {
                sysctls[pair.Key] = pair.Value;
            }
        }

        return sysctls.Count > 0 ? sysctls : null;
    }

    private IReadOnlyList<string>? MaskedPaths()
    {
        if (Unconfined)
        {
            return null;
        }

        if (_host.MaskedPaths is { } given)
        {
            return given;
        }

        if (_from.Stat("/sys/devices/system/cpu/cpu0/thermal_throttle") is null)
        {
            return SpecDefaults.MaskedPaths;
        }

        // Counters of each processor's overheating tell what other tenants do. As many paths as the host has processors.
        List<string> paths = [.. SpecDefaults.MaskedPaths];
        for (int cpu = 0; ; cpu++)
        {
            string path = string.Create(CultureInfo.InvariantCulture, $"/sys/devices/system/cpu/cpu{cpu}/thermal_throttle");
            if (_from.Stat(path) is null)
            {
                return paths;
            }

            paths.Add(path);
        }
    }
}
