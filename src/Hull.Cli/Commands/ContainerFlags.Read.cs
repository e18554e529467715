using System.CommandLine;
using System.Globalization;
using Hull.Cli.Parsing;
using Hull.Engine;
using Hull.Engine.Containers;

namespace Hull.Cli.Commands;

internal sealed partial class ContainerFlags
{
    private const int LongestRate = 64;

    /// <summary>The request that the flags and arguments make.</summary>
    /// <param name="attached">Whether the caller stays with the container: a foreground <c>run</c>.</param>
    /// <exception cref="UsageException">A value that its flag does not take.</exception>
    /// <exception cref="EngineException">Flags that cannot be combined, a flag that this version has not, an unreadable file.</exception>
    public CreateRequest Read(ParseResult result, IReadOnlyList<string> positional, bool attached)
    {
        foreach ((Option option, string reason) in _unavailable)
        {
            if (result.IsGiven(option))
            {
                throw EngineException.Unsupported($"{option.Name} is not available yet: {reason}");
            }
        }

        RestartPolicy? restart = result.TextOf(_restart) is { } policy ? RestartPolicy.Parse(policy) : null;
        bool remove = result.IsOn(_remove);
        if (remove && restart is { Condition: not RestartCondition.No })
        {
            throw EngineException.Invalid("conflicting options: cannot specify both --restart and --rm");
        }

        return new CreateRequest
        {
            Image = positional[0],
            Name = result.TextOf(_name),
            Payload = ReadPayload(result, positional, attached),
            Host = WithNetworks(ReadHost(result) with { RestartPolicy = restart, AutoRemove = remove }, result),
        };
    }

    /// <summary>Whether to pull: <c>always</c>, <c>missing</c> or <c>never</c>.</summary>
    public string PullPolicy(ParseResult result)
    {
        string policy = result.TextOf(_pull) ?? "missing";
        return policy is "always" or "missing" or "never"
            ? policy
            : throw EngineException.Invalid($"invalid pull option: '{policy}': must be one of \"always\", \"missing\" or \"never\"");
    }

    /// <summary><c>os[/arch[/variant]]</c>; null for the host's own.</summary>
    public string? Platform(ParseResult result) => result.TextOf(_platform);

    private PayloadConfig ReadPayload(ParseResult result, IReadOnlyList<string> positional, bool attached)
    {
        string[]? streams = result.ListOf(_attach);
        bool interactive = result.IsOn(_interactive);
        List<string>? command = null;
        for (int i = 1; i < positional.Count; i++)
        {
            (command ??= []).Add(positional[i]);
        }

        bool stdin = attached && (streams is null ? interactive : HasStream(streams, "stdin"));
        string? entrypoint = result.GetValue(_entrypoint);
        return new PayloadConfig
        {
            // Given and empty, it takes the image's entrypoint away.
            Entrypoint = entrypoint is null ? null : [entrypoint],
            Command = command,
            Env = KeyValues.Environment(result.ListOf(_envFile), result.ListOf(_env), Environment.GetEnvironmentVariable),
            WorkingDirectory = result.TextOf(_workdir),
            User = result.TextOf(_user),
            Hostname = result.TextOf(_hostname),
            Domainname = result.TextOf(_domainname),
            Labels = KeyValues.Labels(result.ListOf(_labelFile), result.ListOf(_label)),
            Tty = result.IsOn(_tty),
            OpenStdin = interactive,
            StdinOnce = interactive && stdin,
            AttachStdin = stdin,
            AttachStdout = attached && (streams is null || HasStream(streams, "stdout")),
            AttachStderr = attached && (streams is null || HasStream(streams, "stderr")),
            StopSignal = result.TextOf(_stopSignal),
            StopTimeout = result.IntegerOf(_stopTimeout, -1, int.MaxValue),
            ExposedPorts = ReadPorts(result),
        };
    }

    private HostConfig ReadHost(ParseResult result) => new()
    {
        Mounts = ReadMounts(result),
        VolumesFrom = result.ListOf(_volumesFrom),
        ReadonlyRootfs = result.IsOn(_readOnly),
        CapAdd = result.ListOf(_capAdd),
        CapDrop = result.ListOf(_capDrop),
        Privileged = result.IsOn(_privileged),
        SecurityOpt = result.ListOf(_securityOption) is { } security ? SecurityOptions.ReadProfiles(security) : null,
        Devices = Each(result, _device, DeviceConfig.Parse),
        DeviceCgroupRules = result.ListOf(_deviceCgroupRule),
        Ulimits = Each(result, _ulimit, Ulimit.Parse),
        Sysctls = ReadSysctls(result),
        GroupAdd = result.ListOf(_groupAdd),
        Init = result.IsOn(_init),
        PidMode = result.TextOf(_pid),
        IpcMode = result.TextOf(_ipc),
        UtsMode = result.TextOf(_uts),
        CgroupnsMode = result.TextOf(_cgroupns),
        UsernsMode = result.TextOf(_userns),
        CgroupParent = result.TextOf(_cgroupParent),
        Resources = ReadResources(result),
        OomScoreAdj = result.IntegerOf(_oomScoreAdj, -1000, 1000),
        ShmSize = result.BytesOf(_shmSize),
        LogConfig = ReadLog(result),
        CidFile = result.TextOf(_cidFile),
        Annotations = KeyValues.Map(result.ListOf(_annotation)),
        ExtraHosts = result.ListOf(_addHost),
        Dns = result.ListOf(_dns),
        DnsOptions = result.ListOf(_dnsOption),
        DnsSearch = result.ListOf(_dnsSearch),
    };

    /// <summary>Docker's order: what -v, --mount and --tmpfs ask for, each kind in the order given.</summary>
    private List<MountConfig>? ReadMounts(ParseResult result)
    {
        List<MountConfig>? mounts = null;
        Add(_volume, text => MountConfig.ParseVolume(text, Environment.CurrentDirectory));
        Add(_mount, text => MountConfig.ParseMount(text, Environment.CurrentDirectory));
        Add(_tmpfs, MountConfig.ParseTmpfs);
        return mounts;

        void Add(Option<string[]?> option, Func<string, MountConfig> parse)
        {
            foreach (string text in result.ListOf(option) ?? [])
            {
                (mounts ??= []).Add(Flags.Convert(text, option, parse));
            }
        }
    }

    private Dictionary<string, string>? ReadSysctls(ParseResult result)
    {
        foreach (string text in result.ListOf(_sysctl) ?? [])
        {
            if (text.IndexOf('=', StringComparison.Ordinal) <= 0)
            {
                throw UsageException.InvalidArgument(text, Flags.Display(_sysctl), $"sysctl '{text}' is not of the form name=value");
            }
        }

        return KeyValues.Map(result.ListOf(_sysctl));
    }

    private LogConfig? ReadLog(ParseResult result)
    {
        string? driver = result.TextOf(_logDriver);
        string[]? options = result.ListOf(_logOption);
        foreach (string option in options ?? [])
        {
            if (option.IndexOf('=', StringComparison.Ordinal) <= 0)
            {
                throw EngineException.Invalid($"invalid logging opts format from --log-opt: '{option}' is not of the form name=value");
            }
        }

        return driver is null && options is null ? null : new LogConfig { Driver = driver, Options = KeyValues.Map(options) };
    }

    private Resources? ReadResources(ParseResult result)
    {
        Resources resources = new()
        {
            Memory = result.BytesOf(_memory) ?? 0,
            MemoryReservation = result.BytesOf(_memoryReservation) ?? 0,
            MemorySwap = result.BytesOf(_memorySwap, unlimited: true) ?? 0,
            MemorySwappiness = result.IntegerOf(_memorySwappiness, -1, 100),
            OomKillDisable = result.IsOn(_oomKillDisable),
            NanoCpus = ReadCpus(result),
            CpuShares = result.IntegerOf(_cpuShares) ?? 0,
            CpuPeriod = result.IntegerOf(_cpuPeriod) ?? 0,
            CpuQuota = result.IntegerOf(_cpuQuota) ?? 0,
            CpuRealtimePeriod = result.IntegerOf(_cpuRealtimePeriod) ?? 0,
            CpuRealtimeRuntime = result.IntegerOf(_cpuRealtimeRuntime) ?? 0,
            CpusetCpus = result.TextOf(_cpusetCpus),
            CpusetMems = result.TextOf(_cpusetMems),
            PidsLimit = result.IntegerOf(_pidsLimit) ?? 0,
            BlkioWeight = result.IntegerOf(_blkioWeight, 0, 1000) ?? 0,
            BlkioWeightDevice = Rates(result, _blkioWeightDevice, PlainRate),
            DeviceReadBps = Rates(result, _deviceReadBps, Quantity.ParseBytes),
            DeviceWriteBps = Rates(result, _deviceWriteBps, Quantity.ParseBytes),
            DeviceReadIops = Rates(result, _deviceReadIops, PlainRate),
            DeviceWriteIops = Rates(result, _deviceWriteIops, PlainRate),
        };
        return resources == new Resources() ? null : resources;
    }

    private long ReadCpus(ParseResult result)
    {
        string? text = result.TextOf(_cpus);
        if (text is null)
        {
            return 0;
        }

        if (!decimal.TryParse(text, NumberStyles.AllowDecimalPoint | NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out decimal cpus)
            || cpus is < 0 or > 1_000_000)
        {
            throw UsageException.InvalidArgument(text, Flags.Display(_cpus), $"failed to parse {text} as a number of CPUs");
        }

        decimal nano = cpus * 1_000_000_000;
        return nano == decimal.Truncate(nano)
            ? (long)nano
            : throw UsageException.InvalidArgument(text, Flags.Display(_cpus), "value is too precise");
    }

    private static List<T>? Each<T>(ParseResult result, Option<string[]?> option, Func<string, T> parse)
    {
        string[]? texts = result.ListOf(option);
        if (texts is null)
        {
            return null;
        }

        List<T> values = new(texts.Length);
        foreach (string text in texts)
        {
            values.Add(Flags.Convert(text, option, parse));
        }

        return values;
    }

    private static List<DeviceRate>? Rates(ParseResult result, Option<string[]?> option, Func<string, long> parse) =>
        Each(result, option, text =>
        {
            int colon = text.LastIndexOf(':');
            return colon > 0 && text[0] == '/' && text.Length - colon < LongestRate
                ? new DeviceRate { Path = text[..colon], Rate = parse(text[(colon + 1)..]) }
                : throw new FormatException($"bad format: {text} (expected /DEVICE/PATH:RATE)");
        });

    private static long PlainRate(string text) =>
        long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out long rate)
            ? rate
            : throw new FormatException($"invalid rate: '{text}'");

    private static bool HasStream(string[] streams, string name)
    {
        bool has = false;
        foreach (string stream in streams)
        {
            has |= stream.ToLowerInvariant() switch
            {
                "stdin" or "stdout" or "stderr" => string.Equals(stream, name, StringComparison.OrdinalIgnoreCase),
                _ => throw EngineException.Invalid($"invalid argument \"{stream}\" for \"-a, --attach\" flag: valid streams are STDIN, STDOUT and STDERR"),
            };
        }

        return has;
    }
}
