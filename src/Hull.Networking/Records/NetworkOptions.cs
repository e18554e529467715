namespace Hull.Networking.Records;

/// <summary>Driver options, by docker's names.</summary>
public static class NetworkOptions
{
    public const string BridgeName = "com.docker.network.bridge.name";
    public const string Masquerade = "com.docker.network.bridge.enable_ip_masquerade";
    public const string InterContainer = "com.docker.network.bridge.enable_icc";
    public const string HostBinding = "com.docker.network.bridge.host_binding_ipv4";
    public const string Mtu = "com.docker.network.driver.mtu";

    /// <summary>The prefix of containers' interface names, <c>eth</c> unless given.</summary>
    public const string InterfacePrefix = "com.docker.network.container_iface_prefix";

    /// <summary>macvlan and ipvlan: the host's link, <c>eth0</c> or <c>eth0.100</c> for a VLAN of its.</summary>
    public const string Parent = "parent";

    public const string MacvlanMode = "macvlan_mode";
    public const string IpvlanMode = "ipvlan_mode";
    public const string IpvlanFlag = "ipvlan_flag";
}
