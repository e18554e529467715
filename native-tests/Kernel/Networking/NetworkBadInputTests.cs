using Hull.Kernel.Tests.Harness;

namespace Hull.Kernel.Tests.Networking;

/// <summary>Networks that cannot be: one clear line, an exit code, and nothing made.</summary>
public sealed class NetworkBadInputTests(HullStore store) : NetworkTest(store)
{
    [KernelTheory(Needs.Nftables)]
    [InlineData("--subnet 172.28.0.0", "invalid subnet '172.28.0.0'")]
    [InlineData("--subnet 172.28.0.0/33", "invalid subnet")]
    [InlineData("--subnet 300.1.1.0/24", "invalid subnet")]
    [InlineData("--subnet 172.28.0.1/16", "it should be 172.28.0.0/16")]
    [InlineData("--subnet 172.28.0.0/31", "too small")]
    [InlineData("--subnet 172.28.0.0/32", "too small")]
    [InlineData("--subnet 172.28.0.0/16 --subnet 172.28.1.0/24", "overlapping")]
    [InlineData("--subnet 127.0.0.0/16", "127.0.0.0")]
    [InlineData("--subnet 192.0.2.0/25", "Pool overlaps", "wire")]
    [InlineData("--subnet 172.28.0.0/16 --gateway 10.0.0.1", "no matching subnet for gateway 10.0.0.1")]
    [InlineData("--subnet 172.28.0.0/16 --gateway 172.28.0.0", "gateway 172.28.0.0")]
    [InlineData("--subnet 172.28.0.0/16 --gateway 172.28.255.255", "broadcast")]
    [InlineData("--subnet 172.28.0.0/16 --ip-range 172.29.0.0/24", "no matching subnet for ip-range")]
    [InlineData("--gateway 172.28.0.1", "--gateway needs a --subnet")]
    [InlineData("--subnet fd00:28::/64 --ipv6=false", "--ipv6")]
    [InlineData("--driver overlay", "could not find network driver \"overlay\"")]
    [InlineData("--driver host", "only one instance")]
    [InlineData("--driver null", "only one instance")]
    [InlineData("--opt com.docker.network.bridge.name=much-too-long-a-name", "invalid bridge name")]
    [InlineData("--opt com.docker.network.bridge.name=../x", "invalid bridge name")]
    [InlineData("--opt com.docker.network.driver.mtu=12", "invalid MTU")]
    [InlineData("--opt com.docker.network.bridge.enable_icc=perhaps", "perhaps")]
    public void Create_Malformed_IsRefused(string flags, params string[] fragments)
    {
        _ = Outside;

        BadInput.IsOneLine(Hull(["network", "create", .. flags.Split(' '), "net"]), 1, fragments);

        Assert.Equal("", Hull("network", "ls", "-q", "-f", "type=custom").Ok());
    }

    [KernelTheory(Needs.Nftables)]
    [InlineData("")]
    [InlineData("-net")]
    [InlineData("a/b")]
    [InlineData("a b")]
    public void Create_BadName_IsRefused(string name)
    {
        RunResult result = Hull("network", "create", "--", name);

        BadInput.IsOneLine(result, 1, "invalid network name");
    }

    [KernelFact(Needs.Nftables)]
    public void Create_SubnetOfAnotherNetwork_IsRefused()
    {
        Network("one", "--subnet", "172.28.0.0/16");

        BadInput.IsOneLine(Hull("network", "create", "--subnet", "172.28.128.0/17", "two"), 1, "Pool overlaps", "one");
    }

    [KernelTheory(Needs.Nftables)]
    [InlineData("--network nowhere", "network nowhere not found")]
    [InlineData("--network net --ip 172.28.0.1", "172.28.0.1 is the network's gateway")]
    [InlineData("--network net --ip 172.29.0.9", "no configured subnet contains IP address 172.29.0.9")]
    [InlineData("--network net --ip 172.28.0.0", "172.28.0.0")]
    [InlineData("--network net --ip 172.28.255.255", "172.28.255.255")]
    [InlineData("--network net --ip 1", "invalid IPv4 address: 1")]
    [InlineData("--network net --ip6 fd00::9", "no IPv6 subnet")]
    [InlineData("--network net --mac-address 01:00:00:00:00:01", "not a valid mac address")]
    [InlineData("--network net --mac-address zz", "not a valid mac address")]
    [InlineData("--network net --network-alias a/b", "invalid network alias: a/b")]
    [InlineData("--ip 172.17.0.9", "user defined networks only")]
    [InlineData("--network net --network net", "given twice")]
    [InlineData("--network none --network net", "none")]
    public void Run_BadEndpoint_IsRefused(string flags, params string[] fragments)
    {
        Network("net", "--subnet", "172.28.0.0/16");

        BadInput.IsOneLine(Hull(["run", "--name", "box", .. flags.Split(' '), Store.Busybox, "true"]), 125, fragments);

        Assert.Equal("", OnHost("nft", "list", "tables"));
        Hull("run", "--rm", "--network", "net", Store.Busybox, "true").Ok();
    }

    [KernelTheory(Needs.Nftables)]
    [InlineData("8080:0", "Invalid containerPort: 0")]
    [InlineData("0", "Invalid containerPort: 0")]
    [InlineData("80:70000", "Invalid containerPort: 70000")]
    [InlineData("70000:80", "Invalid hostPort: 70000")]
    [InlineData("8090-8080:80-90", "8090-8080")]
    [InlineData("80:80/icmp", "icmp")]
    [InlineData("198.51.100.99:8080:80", "198.51.100.99")]
    public void Run_BadPort_IsRefused(string publish, string words)
    {
        BadInput.IsOneLine(Hull("run", "--rm", "-p", publish, Store.Busybox, "true"), 125, words);

        Assert.Equal("", OnHost("nft", "list", "tables"));
        Assert.Equal("", Hull("ps", "-aq").Ok());
    }

    [KernelFact(Needs.Nftables)]
    public void IPv6Network_KernelWithoutIPv6_IsNamed()
    {
        Network("net", "--ipv6");

        // What a kernel with ipv6.disable=1 shows.
        BadInput.IsOneLine(
            Store.Shell($"unshare --mount sh -c 'mount -t tmpfs none /proc/sys/net/ipv6 && $HULL run --rm --network net {Store.Busybox} true'"),
            125, "network net has IPv6", "ipv6.disable=1");
    }

    [KernelFact(Needs.Nftables)]
    public void Bridge_NameOfAnotherLink_IsRefused()
    {
        _ = Outside;
        Network("net", "--opt", $"com.docker.network.bridge.name={OutsideHost.Wire}");

        BadInput.IsOneLine(Hull("run", "--rm", "--network", "net", Store.Busybox, "true"), 125, OutsideHost.Wire, "not a bridge");
    }
}
