using Hull.Networking.Endpoints;
using Hull.Networking.Ports;

namespace Hull.Networking.Host;

/// <summary>A container that is about to start, as far as its networks are concerned.</summary>
public sealed record ContainerAttachment
{
    /// <summary>64 hexadecimal digits.</summary>
    public required string Container { get; init; }

    /// <summary>The container's name.</summary>
    public required string Name { get; init; }

    /// <summary>Its first process: a child of the caller's, or held by a pidfd.</summary>
    public required int Pid { get; init; }

    public required IReadOnlyList<EndpointSettings> Endpoints { get; init; }

    /// <summary>Ports that are reserved for it already.</summary>
    public IReadOnlyList<PublishedPort> Ports { get; init; } = [];
}
