using Hull.Networking.Endpoints;
using Hull.Networking.Ports;

namespace Hull.Engine.Networks;

/// <summary>The PORTS column of <c>ps</c>: <c>0.0.0.0:8080->80/tcp, [::]:8080->80/tcp, 443/tcp</c>.</summary>
internal static class PortText
{
    /// <param name="state">Null for a container that is on no network of hull's.</param>
    /// <returns>Null where there is nothing to show.</returns>
    public static string? Of(ContainerNetworkState? state, IReadOnlyList<string>? exposed)
    {
        if (state is null)
        {
            return null;
        }

        List<string> texts = [];
        foreach (PublishedPort port in state.Ports.OrderBy(static port => port.ContainerPort).ThenBy(static port => port.Protocol, StringComparer.Ordinal).ThenBy(static port => port.IsIPv6))
        {
            texts.Add($"{port.Host}->{port.Container}");
        }

        foreach (string port in exposed ?? [])
        {
            if (!state.Ports.Any(published => published.Container == port))
            {
                texts.Add(port);
            }
        }

        return texts.Count == 0 ? null : string.Join(", ", texts);
    }
}
