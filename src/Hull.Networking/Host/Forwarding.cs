using System.Text;
using Hull.Linux;
using Microsoft.Win32.SafeHandles;

namespace Hull.Networking.Host;

/// <summary>Makes the host a router, which its bridges need it to be. It stays one, as with docker: others may rely on it by then.</summary>
internal static class Forwarding
{
    private const string IPv6Links = "/proc/sys/net/ipv6/conf";

    public static void Enable(bool ipv6)
    {
        Sysctl.Set("ipv4/ip_forward", "1");
        if (ipv6 && Sysctl.Read("ipv6/conf/all/forwarding") == "0")
        {
            KeepRouterAdvertisements();
            Sysctl.Set("ipv6/conf/all/forwarding", "1");
        }
    }

    /// <summary>A router does not take routes from others, unless accept_ra is 2 (ip-sysctl): the host would lose its own.</summary>
    private static void KeepRouterAdvertisements()
    {
        using SafeFileHandle directory = Files.Open(IPv6Links, OpenFlags.ReadOnly | OpenFlags.Directory);
        foreach (DirectoryEntry entry in DirectoryListing.Read(directory, IPv6Links))
        {
            string setting = $"ipv6/conf/{Encoding.UTF8.GetString(entry.Name)}/accept_ra";
            if (Sysctl.Read(setting) == "1")
            {
                Sysctl.Set(setting, "2");
            }
        }
    }
}
