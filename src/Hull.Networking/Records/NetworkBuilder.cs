using System.Net;
using Hull.Linux;
using Hull.Networking.Addresses;
using Hull.Oci;

namespace Hull.Networking.Records;

/// <summary>From a request to a network's record: checks each word, then chooses what was left open.</summary>
internal static class NetworkBuilder
{
    /// <summary>IFNAMSIZ less the end of the string.</summary>
    private const int LongestLinkName = 15;

    private static readonly string[] Known = [NetworkDrivers.Bridge, NetworkDrivers.Macvlan, NetworkDrivers.Ipvlan, NetworkDrivers.Host, NetworkDrivers.Null];

    /// <param name="used">Subnets of other networks and of the host's routes.</param>
    /// <exception cref="NetworkException">Invalid; Conflict: a subnet that is in use; Host: no free subnet.</exception>
    public static NetworkConfig Build(NetworkRequest request, IReadOnlyList<UsedSubnet> used)
    {
        CheckName(request.Name);
        string driver = CheckDriver(request.Driver);
        CheckOptions(driver, request);
        List<IpamConfig> pools = ReadPools(request);
        bool ipv6 = request.EnableIPv6 ?? pools.Exists(static pool => pool.Subnet.IsIPv6);
        bool ipv4 = request.EnableIPv4 ?? true;
        Check(ipv6 || ipv4, "IPv4 or IPv6 must be enabled");
        Check(ipv6 || !pools.Exists(static pool => pool.Subnet.IsIPv6), "an IPv6 subnet needs --ipv6");
        Check(ipv4 || pools.TrueForAll(static pool => pool.Subnet.IsIPv6), "an IPv4 subnet cannot be combined with --ipv4=false");
        foreach (IpamConfig pool in pools)
        {
            // A macvlan or ipvlan network lies in a net that the host is in already.
            Refuse(driver == NetworkDrivers.Bridge ? used : [.. used.Where(static one => one.Network is not null)], pool.Subnet);
        }

        if (ipv4 && !pools.Exists(static pool => !pool.Subnet.IsIPv6))
        {
            pools.Insert(0, new IpamConfig { Subnet = DefaultPools.ChooseIPv4(used) });
        }

        if (ipv6 && !pools.Exists(static pool => pool.Subnet.IsIPv6))
        {
            pools.Add(new IpamConfig { Subnet = DefaultPools.ChooseIPv6(used) });
        }

        return new NetworkConfig
        {
            Id = KernelRandom.ObjectId(),
            Name = request.Name,
            Driver = driver,
            Created = DateTimeOffset.UtcNow,
            Internal = request.Internal,
            EnableIPv6 = ipv6,
            DisableIPv4 = !ipv4,
            Attachable = request.Attachable,
            Pools = [.. pools.Select(pool => WithGateway(pool))],
            Options = request.Options,
            Labels = request.Labels,
        };
    }

    /// <summary>Docker's words for the name of what is looked for too.</summary>
    public static void CheckName(string name) => Check(
        name.Length >= 1 && Words.IsName(name),
        $"{FlagText.Printable(name)} is an invalid network name, only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed");

    private static string CheckDriver(string driver)
    {
        Check(Array.IndexOf(Known, driver) >= 0 || driver == NetworkDrivers.NoneNetwork,
            $"could not find network driver \"{FlagText.Printable(driver)}\": hull has bridge, macvlan and ipvlan");
        // Docker's words: there is one of each.
        Check(driver != NetworkDrivers.Host, "only one instance of \"host\" network is allowed");
        Check(driver is not (NetworkDrivers.Null or NetworkDrivers.NoneNetwork), "only one instance of \"null\" network is allowed");
        return driver;
    }

    private static void CheckOptions(string driver, NetworkRequest request)
    {
        foreach ((string key, string value) in request.Options ?? new Dictionary<string, string>())
        {
            switch (key)
            {
                case NetworkOptions.BridgeName:
                    Check(value.Length <= LongestLinkName && Words.IsName(value), $"invalid bridge name '{FlagText.Printable(value)}': at most {LongestLinkName} letters, digits, '_', '.' and '-'");
                    break;
                case NetworkOptions.Mtu:
                    Check(int.TryParse(value, out int mtu) && mtu is >= 68 and <= 65535, $"invalid MTU '{FlagText.Printable(value)}': expected 68 to 65535");
                    break;
                case NetworkOptions.Masquerade or NetworkOptions.InterContainer:
                    Check(value is "true" or "false" or "1" or "0", $"invalid value '{FlagText.Printable(value)}' of {key}: expected true or false");
                    break;
                case NetworkOptions.HostBinding:
                    Check(Subnet.TryParseIP(value, out _), $"invalid value '{FlagText.Printable(value)}' of {key}: expected an address");
                    break;
                case NetworkOptions.InterfacePrefix:
                    Check(value.Length <= LongestLinkName - 3 && Words.IsName(value), $"invalid interface prefix '{FlagText.Printable(value)}'");
                    break;
                case NetworkOptions.Parent when driver is NetworkDrivers.Macvlan or NetworkDrivers.Ipvlan:
                    Check(value.Length is > 0 and <= LongestLinkName && Words.IsName(value), $"invalid parent '{FlagText.Printable(value)}': expected the name of a link of the host");
                    break;
                case NetworkOptions.MacvlanMode or "mode" when driver == NetworkDrivers.Macvlan:
                    Check(value is "bridge" or "private" or "vepa" or "passthru", $"invalid {key} '{FlagText.Printable(value)}': expected bridge, private, vepa or passthru");
                    break;
                case NetworkOptions.IpvlanMode or "mode" when driver == NetworkDrivers.Ipvlan:
                    Check(value is "l2" or "l3" or "l3s", $"invalid {key} '{FlagText.Printable(value)}': expected l2, l3 or l3s");
                    break;
                case NetworkOptions.IpvlanFlag when driver == NetworkDrivers.Ipvlan:
                    Check(value is "bridge" or "private" or "vepa", $"invalid {key} '{FlagText.Printable(value)}': expected bridge, private or vepa");
                    break;
                default:
                    // Docker takes options that its drivers do not know; they come back from inspect.
                    Check(key.Length > 0 && !FlagText.HasControl(key) && !FlagText.HasControl(value), $"invalid option '{FlagText.Printable(key)}'");
                    break;
            }
        }
    }

    private static List<IpamConfig> ReadPools(NetworkRequest request)
    {
        List<IpamConfig> pools = [];
        foreach (string text in request.Subnets)
        {
            Subnet subnet = Subnet.Parse(text);
            Check(pools.TrueForAll(pool => !pool.Subnet.Overlaps(subnet)), $"multiple overlapping subnet configuration is not supported: {subnet}");
            Check(pools.TrueForAll(pool => pool.Subnet.IsIPv6 != subnet.IsIPv6), $"{subnet}: a network has one subnet of each family");
            // The base, the broadcast address and the gateway leave one for a container.
            Check(subnet.Width - subnet.PrefixLength >= 2, $"subnet {subnet} is too small: a gateway and a container need /{subnet.Width - 2} or larger");
            pools.Add(new IpamConfig { Subnet = subnet });
        }

        Place(pools, request.Ranges, "ip-range", static text => Subnet.Parse(text, "ip-range"), static (pool, range) => pool.Contains(range),
            static (pool, range) => pool with { Range = range });
        Place(pools, request.Gateways, "gateway", static text => ParseAddress(text, "gateway"), static (pool, gateway) => pool.Contains(gateway),
            static (pool, gateway) => pool with { Gateway = gateway });
        foreach ((string name, string text) in request.Auxiliary ?? new Dictionary<string, string>())
        {
            IPAddress address = ParseAddress(text, "aux-address");
            int at = pools.FindIndex(pool => pool.Subnet.Contains(address));
            Check(at >= 0, $"no matching subnet for aux-address {address}");
            pools[at] = pools[at] with
            {
                Auxiliary = new Dictionary<string, string>(pools[at].Auxiliary ?? new Dictionary<string, string>(), StringComparer.Ordinal) { [name] = address.ToString() },
            };
        }

        return pools;
    }

    /// <summary>Each value goes to the pool that it lies in.</summary>
    private static void Place<T>(
        List<IpamConfig> pools, IReadOnlyList<string> texts, string flag, Func<string, T> parse, Func<Subnet, T, bool> contains, Func<IpamConfig, T, IpamConfig> put)
    {
        HashSet<int> given = [];
        foreach (string text in texts)
        {
            T value = parse(text);
            int at = pools.FindIndex(pool => contains(pool.Subnet, value));
            Check(at >= 0, pools.Count == 0 ? $"--{flag} needs a --subnet that it lies in" : $"no matching subnet for {flag} {text}");
            Check(given.Add(at), $"two values of --{flag} lie in {pools[at].Subnet}");
            pools[at] = put(pools[at], value);
        }
    }

    private static IPAddress ParseAddress(string text, string flag) => Subnet.TryParseIP(text, out IPAddress? address)
        ? address
        : throw NetworkException.Invalid($"invalid {flag} '{FlagText.Printable(text)}': expected an address");

    /// <summary>The first address of the range, or of the subnet, as docker chooses.</summary>
    private static IpamConfig WithGateway(IpamConfig pool)
    {
        if (pool.Gateway is null)
        {
            return pool with { Gateway = pool.Subnet.At(1) };
        }

        Check(!pool.Gateway.Equals(pool.Subnet.Base), $"gateway {pool.Gateway} is the subnet's own address");
        Check(pool.Subnet.IsIPv6 || !pool.Gateway.Equals(pool.Subnet.At(pool.Subnet.Size - 1)), $"gateway {pool.Gateway} is the subnet's broadcast address");
        return pool;
    }

    private static void Refuse(IReadOnlyList<UsedSubnet> used, Subnet wanted)
    {
        foreach (UsedSubnet one in used)
        {
            if (one.Subnet.Overlaps(wanted))
            {
                throw NetworkException.Conflict($"Pool overlaps with other one on this address space: {wanted} and {one}");
            }
        }
    }

    private static void Check(bool valid, string words)
    {
        if (!valid)
        {
            throw NetworkException.Invalid(words);
        }
    }
}
