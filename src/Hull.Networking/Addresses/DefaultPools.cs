using System.Net;
using Hull.Linux;

namespace Hull.Networking.Addresses;

/// <summary>Where subnets come from that nobody asked for: docker's pools for IPv4, a random unique local prefix for IPv6.</summary>
internal static class DefaultPools
{
    /// <summary>Docker's (daemon.json, default-address-pools): 172.17 to 172.31 with 16 bits, 192.168 in pieces of 20.</summary>
    private static readonly (string First, int Prefix, int Count)[] IPv4 = [("172.17.0.0", 16, 15), ("192.168.0.0", 20, 16)];

    /// <exception cref="NetworkException">Host: every one is in use.</exception>
    public static Subnet ChooseIPv4(IReadOnlyList<UsedSubnet> used)
    {
        foreach ((string first, int prefix, int count) in IPv4)
        {
            Subnet start = Subnet.Around(IPAddress.Parse(first), prefix);
            for (int i = 0; i < count; i++)
            {
                Subnet candidate = start.Next(i);
                if (used.All(one => !one.Subnet.Overlaps(candidate)))
                {
                    return candidate;
                }
            }
        }

        throw new NetworkException(NetworkError.Host,
            "all predefined address pools have been fully subnetted: 172.17.0.0/16 to 172.31.0.0/16 and 192.168.0.0/16 are in use by networks or by the host's routes; remove a network (hull network prune), or name a --subnet");
    }

    /// <summary>RFC 4193: fd, 40 random bits, the subnet 0.</summary>
    public static Subnet ChooseIPv6(IReadOnlyList<UsedSubnet> used)
    {
        Span<byte> bytes = stackalloc byte[16];
        while (true)
        {
            bytes.Clear();
            KernelRandom.Fill(bytes[1..6]);
            bytes[0] = 0xfd;
            Subnet candidate = Subnet.Around(new IPAddress(bytes), 64);
            if (used.All(one => !one.Subnet.Overlaps(candidate)))
            {
                return candidate;
            }
        }
    }
}
