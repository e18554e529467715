namespace Hull.Networking.Host;

/// <summary>What of a network is there until reboot: <c>networks/ID/</c> of the exec root, while it has endpoints.</summary>
/// <param name="Directory">The network's own.</param>
public sealed record NetworkPaths(string Directory)
{
    /// <summary>A symbolic link an address, see <see cref="Addresses.AddressLeases"/>.</summary>
    public string Addresses => Directory + "/addresses";

    /// <summary>A directory a name, see <see cref="NameDirectory"/>.</summary>
    public string Names => Directory + "/names";

    /// <summary>A symbolic link a container that is on the network.</summary>
    public string Endpoints => Directory + "/endpoints";

    public static NetworkPaths Of(string execRoot, string network) => new($"{Root(execRoot)}/{network}");

    public static string Root(string execRoot) => execRoot + "/networks";
}
