using Hull.Engine.Containers;
using Hull.Networking.Endpoints;

namespace Hull.Engine.Networks;

/// <summary>A running container on a network.</summary>
internal sealed record NetworkMember(ContainerStatus Container, Endpoint Endpoint);
