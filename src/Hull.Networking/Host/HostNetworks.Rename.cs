using System.Net;
using Hull.Linux;
using Hull.Networking.Endpoints;

namespace Hull.Networking.Host;

/// <summary>A container that gets another name while it runs.</summary>
public sealed partial class HostNetworks
{
    /// <summary>Lets a running container be found by its new name, and by the old one no more.</summary>
    /// <param name="name">Asked for under the lock: of two renames the last one counts.</param>
    public void Rename(string container, Func<string> name)
    {
        if (StateOf(container) is null)
        {
            // One that starts reads its name later.
            return;
        }

        using FileLock changing = Lock();
        if (StateOf(container) is not { } before)
        {
            return;
        }

        string now = name();
        ContainerNetworkState after = before with { Endpoints = [.. before.Endpoints.Select(endpoint => endpoint with { Names = [now, .. endpoint.Names.Skip(1)] })] };
        Save(container, after);
        foreach ((Endpoint old, Endpoint renamed) in before.Endpoints.Zip(after.Endpoints))
        {
            NetworkPaths paths = NetworkPaths.Of(_execRoot, renamed.Network);
            new NameDirectory(paths.Names).Replace(container, old, renamed);
            foreach (IPAddress address in renamed.Addresses)
            {
                new Addresses.AddressLeases(paths.Addresses, _isAlive).Rename(address, container, ReverseName(now, renamed.NetworkName));
            }
        }
    }

    /// <summary>What answers the reverse question for a container's address on a network.</summary>
    private static string ReverseName(string container, string network) => $"{container}.{network}";
}
