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

    [KernelTheory(Needs.Nftables | Needs.LinkModules)]
    [InlineData("macvlan")]
    [InlineData("ipvlan")]
    public void Vlan_OfTheWire_IsMadeAndGoesWithItsLastContainer(string driver)
    {
        foreach (string line in new[] { "link add link eth0 name eth0.100 type vlan id 100", "addr add 10.100.0.1/24 dev eth0.100", "link set eth0.100 up" })
        {
            Outside.Run("ip", line.Split(' ')).Ok();
        }

        string parent = $"{OutsideHost.Wire}.100";
        Network("net", "--driver", driver, "--subnet", "10.100.0.0/24", "--gateway", "10.100.0.1", "--ip-range", "10.100.0.64/28", "--opt", $"parent={parent}");
        // Of the same VLAN.
        Network("more", "--driver", driver, "--subnet", "10.101.0.0/24", "--opt", $"parent={parent}");
        Web("web", "--network", "net");
        Detached("box", ["--network", "more"]);

        Assert.Equal("web saw 10.100.0.1", Outside.Fetch("10.100.0.64"));
        Assert.Contains("vlan protocol 802.1Q id 100", OnHost("ip", "-d", "link", "show", parent), StringComparison.Ordinal);

        Hull("rm", "-f", "web").Ok();
        Assert.Contains(parent, OnHost("ip", "-o", "link"), StringComparison.Ordinal);
        Hull("rm", "-f", "box").Ok();
        Wait.Until(() => !OnHost("ip", "-o", "link").Contains(parent, StringComparison.Ordinal), 5, () => OnHost("ip", "-o", "link"));
    }

    [KernelFact(Needs.Nftables | Needs.LinkModules)]
    public void Vlan_ThatWasThere_StaysThere()
    {
        _ = Outside;
        string parent = $"{OutsideHost.Wire}.7";
        OnHost("ip", "link", "add", "link", OutsideHost.Wire, "name", parent, "type", "vlan", "id", "7");
        try
        {
            Network("net", "--driver", "macvlan", "--subnet", "10.100.0.0/24", "--opt", $"parent={parent}");
            Hull("run", "--rm", "--network", "net", Store.Busybox, "true").Ok();

            Assert.Contains(parent, OnHost("ip", "-o", "link"), StringComparison.Ordinal);
        }
        finally
        {
            OnHost("ip", "link", "del", parent);
        }
    }

    [KernelTheory(Needs.Nftables)]
    [InlineData("nowhere0.100")]
    [InlineData("wire.0")]
    [InlineData("wire.4095")]
    [InlineData("wire.x")]
    public void Vlan_ThatCannotBe_OneLineAndNothingMade(string parent)
    {
        _ = Outside;
        Network("net", "--driver", "macvlan", "--subnet", "10.100.0.0/24", "--opt", $"parent={parent}");

        BadInput.IsOneLine(Hull("run", "--rm", "--network", "net", Store.Busybox, "true"), 125, $"the host has no link {parent}", "a VLAN of one");
    }

    [KernelFact(Needs.Nftables)]
    public void Macvlan_UnknownParent_OneLineAndNothingMade()
    {
        Network("net", "--driver", "macvlan", "--subnet", "192.0.2.0/24", "--opt", "parent=nowhere0");

        BadInput.IsOneLine(Hull("run", "--rm", "--network", "net", Store.Busybox, "true"), 125, "nowhere0");
    }
}
