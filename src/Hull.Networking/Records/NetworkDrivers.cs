namespace Hull.Networking.Records;

/// <summary>The drivers, and the networks that are there without being created.</summary>
public static class NetworkDrivers
{
    public const string Bridge = "bridge";
    public const string Macvlan = "macvlan";
    public const string Ipvlan = "ipvlan";
    public const string Host = "host";

    /// <summary>Docker's name for the driver of the network <see cref="NoneNetwork"/>.</summary>
    public const string Null = "null";

    public const string DefaultNetwork = "bridge";
    public const string HostNetwork = "host";
    public const string NoneNetwork = "none";

    /// <summary>The default network's link on the host.</summary>
    public const string DefaultBridge = "hull0";

    public static bool IsPredefined(string name) => name is DefaultNetwork or HostNetwork or NoneNetwork;
}
