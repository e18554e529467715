using Hull.Kernel.Tests.Harness;

namespace Hull.Kernel.Tests.Networking;

/// <summary>hull network create, ls, inspect, rm, connect, disconnect and prune.</summary>
public sealed class NetworkCommandTests(HullStore store) : NetworkTest(store)
{
    [KernelFact(Needs.Nftables)]
    public void Create_InspectAndList_SayWhatWasAsked()
    {
        string id = Network("net", "--subnet", "172.28.0.0/16", "--gateway", "172.28.5.254", "--ip-range", "172.28.5.0/24", "--label", "tier=web",
            "--opt", "com.docker.network.bridge.name=br-mine", "--opt", "com.docker.network.driver.mtu=1400");

        Assert.Matches("^[0-9a-f]{64}$", id);
        Assert.Equal($"{id} net bridge local false", Hull("network", "inspect", "-f", "{{.Id}} {{.Name}} {{.Driver}} {{.Scope}} {{.Internal}}", "net").Ok());
        Assert.Equal("172.28.0.0/16 172.28.5.254 172.28.5.0/24", Hull("network", "inspect", "-f", "{{with index .IPAM.Config 0}}{{.Subnet}} {{.Gateway}} {{.IPRange}}{{end}}", "net").Ok());
        Assert.Equal("net", Hull("network", "ls", "--filter", "label=tier=web", "--format", "{{.Name}}").Ok());
        Assert.Equal("bridge\nhost\nnet\nnone", Hull("network", "ls", "--format", "{{.Name}}").Ok());

        Detached("box", ["--network", id[..12]]);

        Assert.Equal("172.28.5.0", AddressOf("box", "net"));
        Assert.Contains("mtu 1400", InNetworkOf("box", "ip", "link", "show", "eth0").Ok(), StringComparison.Ordinal);
        Assert.Contains("inet 172.28.5.254/16", OnHost("ip", "addr", "show", "br-mine"), StringComparison.Ordinal);
        Assert.Equal("box 172.28.5.0/16", Hull("network", "inspect", "-f", "{{range .Containers}}{{.Name}} {{.IPv4Address}}{{end}}", "net").Ok());
    }

    [KernelFact(Needs.Nftables)]
    public void Remove_InUse_FailsAndNamesWho_ThenSucceeds()
    {
        Network("net");
        Detached("box", ["--network", "net"]);

        Hull("network", "rm", "net").Fails(1, "network net has active endpoints", "name:\"box\"", "hull network disconnect -f net box");
        Hull("stop", "-t", "0", "box").Ok();
        Assert.Equal("net", Hull("network", "rm", "net").Ok());
        Hull("network", "rm", "net").Fails(1, "network net not found");
        Hull("network", "rm", "-f", "net").Ok();
        Hull("start", "box").Fails(1, "net");
    }

    [KernelTheory(Needs.Nftables)]
    [InlineData("bridge")]
    [InlineData("host")]
    [InlineData("none")]
    public void Predefined_AreNeitherMadeNorRemoved(string name)
    {
        Hull("network", "rm", name).Fails(1, name);
        Hull("network", "create", name).Fails(1, name);
        Assert.Equal(name, Hull("network", "ls", "-f", $"name={name}", "--format", "{{.Name}}").Ok());
    }

    [KernelFact(Needs.Nftables)]
    public void Create_NameTaken_Fails()
    {
        Network("net");

        Hull("network", "create", "net").Fails(1, "net already exists");
    }

    [KernelFact(Needs.Nftables)]
    public void ConnectAndDisconnect_WhileRunning_AtOnce()
    {
        Network("net");
        Web("web", "--network", "net");
        Detached("box");
        Assert.Null(Fetch("box", AddressOf("web")));

        Hull("network", "connect", "--alias", "db", "net", "box").Ok();

        Assert.Equal($"web saw {AddressOf("box", "net")}", Fetch("box", AddressOf("web")));
        Assert.Equal("bridge net ", Inspect("box", "{{range $name, $_ := .NetworkSettings.Networks}}{{$name}} {{end}}"));
        Hull("network", "connect", "net", "box").Fails(1, "already exists in network net");

        Hull("network", "disconnect", "net", "box").Ok();

        Assert.Null(Fetch("box", AddressOf("web")));
        Assert.DoesNotContain("eth1", Hull("exec", "box", "ls", "/sys/class/net").Ok(), StringComparison.Ordinal);
        Hull("network", "disconnect", "net", "box").Fails(1, "is not connected to network net");
        Hull("network", "disconnect", "-f", "net", "box").Ok();
    }

    [KernelFact(Needs.Nftables)]
    public void ConnectAndDisconnect_WhileStopped_CountAtTheNextStart()
    {
        Network("net");
        Hull("create", "--name", "box", Store.Busybox, "sleep", "1000").Ok();
        Hull("network", "connect", "net", "box").Ok();
        Hull("network", "disconnect", "bridge", "box").Ok();

        Hull("start", "box").Ok();

        Assert.Equal("net ", Inspect("box", "{{range $name, $_ := .NetworkSettings.Networks}}{{$name}} {{end}}"));
        Assert.Contains($"inet {AddressOf("box")}/", InNetworkOf("box", "ip", "addr", "show", "eth0").Ok(), StringComparison.Ordinal);
    }

    [KernelTheory(Needs.Nftables)]
    [InlineData("none")]
    [InlineData("host")]
    public void Connect_ContainerWithoutNetworksOfItsOwn_Fails(string mode)
    {
        Network("net");
        Detached("box", ["--network", mode]);

        Hull("network", "connect", "net", "box").Fails(1, "box", mode);
    }

    [KernelFact(Needs.Nftables)]
    public void Connect_Unknown_Fails()
    {
        Network("net");
        Detached("box");

        Hull("network", "connect", "nowhere", "box").Fails(1, "network nowhere not found");
        Hull("network", "connect", "net", "nobody").Fails(1, "nobody");
        Hull("network", "connect", "--ip", "10.99.0.1", "net", "box").Fails(1, "10.99.0.1");
    }

    [KernelFact(Needs.Nftables)]
    public void Prune_TakesTheUnusedAlone()
    {
        Network("used");
        Network("wanted");
        Network("idle");
        Detached("box", ["--network", "used"]);
        Hull("create", "--name", "later", "--network", "wanted", Store.Busybox, "true").Ok();

        Assert.Equal("Deleted Networks:\nidle", Hull("network", "prune", "-f").Ok().Trim());
        Assert.Equal("used\nwanted", Hull("network", "ls", "-f", "type=custom", "--format", "{{.Name}}").Ok());
        Assert.Equal("", Hull("network", "prune", "-f").Ok());
    }

    [KernelFact(Needs.Nftables)]
    public void Bridge_OfTheUsersOwn_KeepsWhatItHas()
    {
        OnHost("ip", "link", "add", "br-user", "type", "bridge");
        try
        {
            OnHost("ip", "addr", "add", "10.77.0.1/24", "dev", "br-user");
            // The subnet is the user's bridge's already.
            Hull("network", "create", "--subnet", "10.77.0.0/24", "clash").Fails(1, "br-user");
            Network("net", "--subnet", "10.78.0.0/24", "--opt", "com.docker.network.bridge.name=br-user");
            Detached("box", ["--network", "net"]);
            Assert.Contains("10.78.0.1/24", OnHost("ip", "addr", "show", "br-user"), StringComparison.Ordinal);
            Hull("rm", "-f", "box").Ok();

            Assert.Contains("10.77.0.1/24", OnHost("ip", "addr", "show", "br-user"), StringComparison.Ordinal);
        }
        finally
        {
            OnHost("ip", "link", "del", "br-user");
        }
    }
}
