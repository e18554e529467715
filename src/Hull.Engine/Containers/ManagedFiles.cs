using System.Net;
using System.Text;
using Hull.Linux;
using Hull.Networking.Endpoints;
using Hull.Networking.Host;
using Hull.Oci;
using Microsoft.Win32.SafeHandles;

namespace Hull.Engine.Containers;

/// <summary>The three files of /etc that the engine writes and binds into the container: <c>hostname</c>, <c>hosts</c>,
/// <c>resolv.conf</c>. Every string in them was validated: no line of a file comes from an image (CVE-2022-4318).</summary>
public static class ManagedFiles
{
    private const uint FileMode = 0x1A4;

    internal const string HostResolvConf = "/etc/resolv.conf";

    /// <summary>Docker's word for the host's own address in --add-host.</summary>
    private const string HostGateway = "host-gateway";

    /// <summary>As they are called in the container's directory and in /etc.</summary>
    public static readonly IReadOnlyList<string> Names = ["hostname", "hosts", "resolv.conf"];

    /// <summary>Writes all three. A start after the first does it again: the host's resolv.conf may have changed.</summary>
    /// <param name="directory">The container's directory, or its staging one.</param>
    public static void Write(string directory, ContainerConfig config)
    {
        if (NamespaceModes.Joined(config.Host.NetworkMode) is not null)
        {
            // The files of the container that lends its network are bound instead.
            return;
        }

        Put(directory + "/hostname", config.Hostname + "\n");
        WriteHosts(directory, config, state: null);
        Put(directory + "/resolv.conf", ResolvConf(config.Host, ReadHost(HostResolvConf)));
    }

    /// <summary>Writes <c>hosts</c> anew, in place: it is bound already where the container is about to start.</summary>
    /// <param name="state">The container's addresses; null before it has any.</param>
    public static void WriteHosts(string directory, ContainerConfig config, ContainerNetworkState? state) =>
        Put(directory + "/hosts", Hosts(config.Host, config.Hostname, config.Payload.Domainname, state));

    internal static string Hosts(HostConfig host, string hostname = "", string? domain = null, ContainerNetworkState? state = null)
    {
        StringBuilder text = new();
        string own = host.IsHostNetwork ? ReadHost("/etc/hosts") : "";
        if (own.Length > 0)
        {
            text.Append(own);
            if (own[^1] != '\n')
            {
                text.Append('\n');
            }
        }
        else
        {
            text.Append("127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\nfe00::0\tip6-localnet\nff00::0\tip6-mcastprefix\nff02::1\tip6-allnodes\nff02::2\tip6-allrouters\n");
        }

        foreach (string entry in host.ExtraHosts ?? [])
        {
            (string name, string address) = SplitExtraHost(entry);
            string? shown = address == HostGateway ? GatewayOf(host, state) : address;
            if (shown is not null)
            {
                text.Append(shown).Append('\t').Append(name).Append('\n');
            }
        }

        foreach (IPAddress? address in (state?.Endpoints ?? []).SelectMany(static endpoint => (IPAddress?[])[endpoint.IPv4, endpoint.IPv6]))
        {
            if (address is not null && hostname.Length > 0)
            {
                text.Append(address).Append('\t').Append(domain is { Length: > 0 } ? $"{hostname}.{domain} {hostname}" : hostname).Append('\n');
            }
        }

        return text.ToString();
    }

    /// <summary>The host as the container reaches it: the gateway of its first network; the loopback in the host's own network. Null in
    /// a network without a way to the host.</summary>
    private static string? GatewayOf(HostConfig host, ContainerNetworkState? state) => host.IsHostNetwork
        ? IPAddress.Loopback.ToString()
        : state?.Endpoints.Select(static endpoint => endpoint.Gateway4 ?? endpoint.Gateway6).FirstOrDefault(static gateway => gateway is not null)?.ToString();

    /// <param name="own">The host's resolv.conf.</param>
    internal static string ResolvConf(HostConfig host, string own)
    {
        bool asIs = host.IsHostNetwork && host.Dns is not { Count: > 0 } && host.DnsSearch is not { Count: > 0 } && host.DnsOptions is not { Count: > 0 };
        if (asIs && own.Length > 0)
        {
            return own;
        }

        Networking.Dns.ResolvConf hosts = Networking.Dns.ResolvConf.Parse(own);
        StringBuilder text = new();
        if (NamespaceModes.HasEndpoints(host.NetworkMode))
        {
            // The monitor's server answers the networks' names, and asks the others for the rest.
            text.Append("nameserver ").Append(ContainerDns.Address).Append('\n');
        }
        else
        {
            foreach (string server in host.Dns is { Count: > 0 } given ? given : hosts.NameServers)
            {
                // A loopback server of the host's would be the container itself.
                if (host.Dns is { Count: > 0 } || host.IsHostNetwork || !IPAddress.TryParse(server.Split('%')[0], out IPAddress? ip) || !IPAddress.IsLoopback(ip))
                {
                    text.Append("nameserver ").Append(server).Append('\n');
                }
            }
        }

        if (host.DnsSearch is not ["."])
        {
            AddJoined(text, "search", host.DnsSearch, hosts.Search);
        }

        AddJoined(text, "options", host.DnsOptions, NamespaceModes.HasEndpoints(host.NetworkMode) ? ForContainerDns(hosts.Options) : hosts.Options);
        return text.ToString();
    }

    /// <summary>ndots:0: a container's name is looked up as it is before any search domain is tried.</summary>
    private static List<string> ForContainerDns(IReadOnlyList<string> options) =>
        [.. options.Where(static option => !option.StartsWith("ndots:", StringComparison.Ordinal)), "ndots:0"];

    /// <summary><c>NAME:ADDRESS</c> or <c>NAME=ADDRESS</c>, an IPv6 address with or without brackets.</summary>
    /// <exception cref="EngineException">Invalid, with Docker's words.</exception>
    internal static (string Name, string Address) SplitExtraHost(string entry)
    {
        int at = entry.IndexOfAny(['=', ':']);
        string name = at < 0 ? "" : entry[..at];
        string address = at < 0 ? "" : entry[(at + 1)..].Trim('[', ']');
        return IsHostName(name) && (address == HostGateway || IPAddress.TryParse(address, out _))
            ? (name, address)
            : throw EngineException.Invalid($"bad format for add-host: \"{FlagText.Printable(entry)}\"");
    }

    /// <summary>Letters, digits, dots, dashes and underscores, at most 64 bytes for the kernel's (sethostname(2)); longer ones
    /// are not refused for others' names.</summary>
    internal static bool IsHostName(ReadOnlySpan<char> name)
    {
        foreach (char c in name)
        {
            if (!char.IsAsciiLetterOrDigit(c) && c is not ('.' or '-' or '_'))
            {
                return false;
            }
        }

        return name.Length is > 0 and <= 253;
    }

    private static void AddJoined(StringBuilder text, string keyword, IReadOnlyList<string>? given, IReadOnlyList<string> hosts)
    {
        IReadOnlyList<string> values = given is { Count: > 0 } ? given : hosts;
        if (values.Count > 0)
        {
            text.Append(keyword).Append(' ').AppendJoin(' ', values).Append('\n');
        }
    }

    private static void Put(string path, string text)
    {
        using SafeFileHandle file = Files.Open(path, OpenFlags.WriteOnly | OpenFlags.Create | OpenFlags.Truncate | OpenFlags.NoFollow, FileMode);
        // Whatever the umask: users of the container other than root read these.
        Files.ChangeMode(file, FileMode, path);
        Files.Write(file, Encoding.UTF8.GetBytes(text), path);
    }

    /// <summary>Empty where it is missing.</summary>
    internal static string ReadHost(string path)
    {
        using SafeFileHandle? file = Files.TryOpenAt(null, path, OpenFlags.ReadOnly, 0, out _);
        return file is null ? "" : Encoding.UTF8.GetString(Files.ReadAll(file, 1 << 20, path));
    }
}
