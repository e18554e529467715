namespace Hull.Networking.Records;

/// <summary>What a network is: what its creator asked for, with its subnets chosen. Written once.</summary>
public sealed record NetworkConfig
{
    /// <summary>64 hexadecimal digits.</summary>
    public required string Id { get; init; }

    public required string Name { get; init; }

    /// <summary><c>bridge</c>, <c>macvlan</c>, <c>ipvlan</c>, <c>host</c> or <c>null</c> (docker's name for none's driver).</summary>
    public required string Driver { get; init; }

    public required DateTimeOffset Created { get; init; }

    /// <summary>No way out, and none in: names are answered, nothing is forwarded.</summary>
    public bool Internal { get; init; }

    public bool EnableIPv6 { get; init; }

    /// <summary>--ipv4=false.</summary>
    public bool DisableIPv4 { get; init; }

    /// <summary>Swarm's flag; without a swarm it only comes back from inspect.</summary>
    public bool Attachable { get; init; }

    public IReadOnlyList<IpamConfig> Pools { get; init; } = [];

    public IReadOnlyDictionary<string, string>? Options { get; init; }

    public IReadOnlyDictionary<string, string>? Labels { get; init; }

    /// <summary>The first 12 digits, as docker shows an id.</summary>
    public string ShortId => Id[..12];

    public bool IsBridge => Driver == NetworkDrivers.Bridge;

    /// <summary>The one that containers get which ask for none.</summary>
    public bool IsDefault => Name == NetworkDrivers.DefaultNetwork;

    public IpamConfig? IPv4 => Pools.FirstOrDefault(static pool => !pool.Subnet.IsIPv6);

    public IpamConfig? IPv6 => Pools.FirstOrDefault(static pool => pool.Subnet.IsIPv6);

    /// <summary>The bridge's link on the host.</summary>
    public string BridgeName => Option(NetworkOptions.BridgeName) ?? (IsDefault ? NetworkDrivers.DefaultBridge : BridgeNameOf(Id));

    /// <summary>The bridge's name for a network that asks for none.</summary>
    public static string BridgeNameOf(string network) => "br-" + network[..12];

    public string? Option(string key) => Options is { } options && options.TryGetValue(key, out string? value) ? value : null;

    /// <summary>An option that is a truth value.</summary>
    public bool Option(string key, bool otherwise) => Option(key) is { } value ? value is "true" or "1" : otherwise;
}
