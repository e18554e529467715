namespace Hull.Networking.Records;

/// <summary>What <c>hull network create</c> is asked for, as text of the user's.</summary>
public sealed record NetworkRequest
{
    public required string Name { get; init; }

    public string Driver { get; init; } = NetworkDrivers.Bridge;

    public IReadOnlyList<string> Subnets { get; init; } = [];

    public IReadOnlyList<string> Ranges { get; init; } = [];

    public IReadOnlyList<string> Gateways { get; init; } = [];

    /// <summary><c>NAME=ADDRESS</c>.</summary>
    public IReadOnlyDictionary<string, string>? Auxiliary { get; init; }

    public bool Internal { get; init; }

    public bool? EnableIPv6 { get; init; }

    public bool? EnableIPv4 { get; init; }

    public bool Attachable { get; init; }

    public IReadOnlyDictionary<string, string>? Options { get; init; }

    public IReadOnlyDictionary<string, string>? Labels { get; init; }
}
