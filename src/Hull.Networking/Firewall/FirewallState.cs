namespace Hull.Networking.Firewall;

/// <summary>Everything that the firewall is to know.</summary>
public sealed record FirewallState(
    IReadOnlyCollection<FirewallNetwork> Networks, IReadOnlyCollection<FirewallEndpoint> Endpoints, IReadOnlyCollection<FirewallPort> Ports);
