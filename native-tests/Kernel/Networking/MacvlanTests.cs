using Hull.Kernel.Tests.Harness;

namespace Hull.Kernel.Tests.Networking;

/// <summary>Containers with a link of their own on the host's wire: macvlan and ipvlan.</summary>
public sealed class MacvlanTests(HullStore store) : NetworkTest(store)
{
    [KernelFact(Needs.Nftables)]
    public void Macvlan_OnTheWire_IsANeighbourOfOtherHosts()
    {
        _ = Outside;
        Network("net", "--driver", "macvlan", "--subnet", "192.0.2.0/24", "--gateway", OutsideHost.Address, "--ip-range", "192.0.2.64/28", "--opt", $"parent={OutsideHost.Wire}");
        Web("web", "--network", "net");

        Assert.Equal("192.0.2.64", AddressOf("web"));
        Assert.Equal($"web saw {OutsideHost.Address}", Outside.Fetch("192.0.2.64"));
        Assert.Equal("", OnHost("nft", "list", "tables"));
    }

    [KernelFact(Needs.Nftables | Needs.LinkModules)]
    public void Ipvlan_OnTheWire_IsANeighbourOfOtherHosts()
    {
        _ = Outside;
        Network("net", "--driver", "ipvlan", "--subnet", "192.0.2.0/24", "--gateway", OutsideHost.Address, "--ip-range", "192.0.2.64/28", "--opt", $"parent={OutsideHost.Wire}");
        Web("web", "--network", "net");

        Assert.Equal($"web saw {OutsideHost.Address}", Outside.Fetch("192.0.2.64"));
    }

    [KernelFact(Needs.Nftables | Needs.LinkModules)]
    public void Macvlan_WithoutAParent_IsForItsContainersAlone()
    {
        Network("net", "--driver", "macvlan");
        Web("web", "--network", "net");
        Detached("box", ["--network", "net"]);

        Assert.Equal($"web saw {AddressOf("box")}", Fetch("box", AddressOf("web")));
        Assert.Null(FetchFromHost(AddressOf("web")));
    }

    [KernelFact(Needs.Nftables)]
    public void Macvlan_UnknownParent_OneLineAndNothingMade()
    {
        Network("net", "--driver", "macvlan", "--subnet", "192.0.2.0/24", "--opt", "parent=nowhere0");

        BadInput.IsOneLine(Hull("run", "--rm", "--network", "net", Store.Busybox, "true"), 125, "nowhere0");
    }
}
