using System.Net.Sockets;
using System.Text;
using Hull.Linux;
using Microsoft.Win32.SafeHandles;

namespace Hull.Networking.Host;

/// <summary>The host as a router, which its bridges need it to be. Where it was none before, it is one for them alone, as long as there are
/// any: the firewall is told to guard what hull opened, and what hull turned on it turns off.</summary>
/// <param name="directory">Has a mark, <c>forwarding4</c> or <c>forwarding6</c>, for each family that hull has turned on. The caller holds the
/// networks' lock.</param>
internal sealed class Forwarding(string directory)
{
    private const string IPv6Links = "/proc/sys/net/ipv6/conf";

    private static readonly AddressFamily[] Families = [AddressFamily.InterNetwork, AddressFamily.InterNetworkV6];

    /// <summary>The families that hull turned on.</summary>
    public IReadOnlyCollection<AddressFamily> Guarded =>
        [.. Families.Where(family => Files.TryStatAt(null, MarkOf(family), followLinks: false, out _) is not null)];

    /// <summary>Notes what <see cref="Enable"/> is about to turn on, so that the guard stands before the first packet passes.</summary>
    public void Claim(bool ipv6)
    {
        foreach (AddressFamily family in Wanted(ipv6))
        {
            if (Sysctl.Read(SettingOf(family)) == "0")
            {
                AtomicFile.Write(MarkOf(family), [], durable: false);
            }
        }
    }

    public static void Enable(bool ipv6)
    {
        if (ipv6 && Sysctl.Read(SettingOf(AddressFamily.InterNetworkV6)) == "0")
        {
            KeepRouterAdvertisements();
        }

        foreach (AddressFamily family in Wanted(ipv6))
        {
            Sysctl.Set(SettingOf(family), "1");
        }
    }

    /// <summary>Makes the host what it was, after the last bridge.</summary>
    /// <param name="isOthersToo">Somebody else may rely on it by now: it stays a router.</param>
    public void Release(bool isOthersToo)
    {
        foreach (AddressFamily family in Guarded)
        {
            if (!isOthersToo)
            {
                Sysctl.Set(SettingOf(family), "0");
            }

            Files.Unlink(null, MarkOf(family));
        }
    }

    private string MarkOf(AddressFamily family) => $"{directory}/forwarding{(family == AddressFamily.InterNetwork ? 4 : 6)}";

    private static string SettingOf(AddressFamily family) => family == AddressFamily.InterNetwork ? "ipv4/ip_forward" : "ipv6/conf/all/forwarding";

    private static AddressFamily[] Wanted(bool ipv6) => ipv6 ? Families : [AddressFamily.InterNetwork];

    /// <summary>A router does not take routes from others, unless accept_ra is 2 (ip-sysctl): the host would lose its own. To a host that is
    /// no router any more 2 says the same as 1.</summary>
    private static void KeepRouterAdvertisements()
    {
        using SafeFileHandle links = Files.Open(IPv6Links, OpenFlags.ReadOnly | OpenFlags.Directory);
        foreach (DirectoryEntry entry in DirectoryListing.Read(links, IPv6Links))
        {
            string setting = $"ipv6/conf/{Encoding.UTF8.GetString(entry.Name)}/accept_ra";
            if (Sysctl.Read(setting) == "1")
            {
                Sysctl.Set(setting, "2");
            }
        }
    }
}
