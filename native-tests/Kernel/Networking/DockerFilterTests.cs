using Hull.Kernel.Tests.Harness;

namespace Hull.Kernel.Tests.Networking;

/// <summary>A host whose docker drops what is forwarded and not its own: hull's networks work beside it, and its tables stay its own.</summary>
public sealed class DockerFilterTests(HullStore store) : NetworkTest(store)
{
    [KernelTheory(Needs.Nftables)]
    [InlineData(true)]
    [InlineData(false)]
    public void BridgesOfHull_Pass_WhileTheyAreThere(bool isDockerFirst)
    {
        Network("net");
        if (isDockerFirst)
        {
            StartDocker();
        }

        Web("one", "--network", "net", "-p", "8080:80");
        if (!isDockerFirst)
        {
            StartDocker();
        }

        // The next command finds a docker that came later.
        Web("two");
        string rules = OnHost("iptables", "-S");
        Detached("client", ["--network", "net"]);

        Assert.Contains("-A DOCKER-USER -j HULL\n-A DOCKER-USER -j RETURN", rules, StringComparison.Ordinal);
        Assert.Equal(rules, OnHost("iptables", "-S"));
        Assert.Equal($"one saw {AddressOf("client")}", Fetch("client", AddressOf("one")));
        Assert.Equal($"one saw {OutsideHost.Address}", Outside.Fetch(OutsideHost.HullAddress, 8080));
        using (Outside.Listen(OutsideHost.Address, 7000))
        {
            Assert.True(Reaches("two", OutsideHost.Address, 7000));
        }

        Hull("rm", "-f", "two").Ok();
        Assert.DoesNotContain("hull0", OnHost("iptables", "-S"), StringComparison.Ordinal);
        Assert.Contains("-A HULL -i br-", OnHost("iptables", "-S"), StringComparison.Ordinal);
        Hull("rm", "-f", "one", "client").Ok();
        Assert.DoesNotContain("HULL", OnHost("iptables", "-S"), StringComparison.Ordinal);
        Assert.Contains("-P FORWARD DROP", OnHost("iptables", "-S"), StringComparison.Ordinal);
    }

    public override void Dispose()
    {
        Store.RemoveContainers();
        OnHost("nft", "delete", "table", "ip", "filter");
        base.Dispose();
        GC.SuppressFinalize(this);
    }

    /// <summary>What a docker that has just started has in the filter table, as far as others' networks are concerned.</summary>
    private void StartDocker()
    {
        OnHost("iptables", "-N", "DOCKER-USER");
        OnHost("iptables", "-A", "DOCKER-USER", "-j", "RETURN");
        OnHost("iptables", "-I", "FORWARD", "-j", "DOCKER-USER");
        OnHost("iptables", "-P", "FORWARD", "DROP");
    }
}
