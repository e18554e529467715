using Hull.Linux;
using Hull.Linux.Netlink;

namespace Hull.Networking.Host;

/// <summary>Putting right what killed processes left, and what others did to the firewall. Asked for at every listing of containers: where
/// nothing is wrong it takes no lock, and looks at no container that the caller has looked at.</summary>
public sealed partial class HostNetworks
{
    /// <summary>Removes the endpoints of containers without a monitor, and makes the firewall whole.</summary>
    /// <param name="isLive">The containers, by their ids, that the caller has seen alive; others are looked at here.</param>
    public void Heal(Func<string, bool> isLive)
    {
        List<string> networks = NetworkIds();
        // A network without any: whoever came to it was killed before it had its mark.
        bool anyDead = networks.Exists(network => ContainersOn(network) is var on && (on.Count == 0 || on.Exists(container => !isLive(container) && !_isAlive(container))));
        bool isWhole = networks.Count == 0 ? !Firewall.IsThere : Firewall.IsUntouched() || !HasBridges();
        if (!anyDead && isWhole)
        {
            return;
        }

        using FileLock changing = Lock();
        if (anyDead)
        {
            using Rtnetlink host = Rtnetlink.Open();
            RemoveDead(host);
        }

        // The last container may have gone meanwhile, and its tables with it; or it went, and whoever was to remove them was killed.
        if (HasBridges())
        {
            Firewall.Heal();
        }
        else if (Firewall.IsThere)
        {
            Firewall.Renew(isLast: true);
        }
    }

    private bool HasBridges() => UsedNetworks().Exists(static network => network.IsBridge);
}
