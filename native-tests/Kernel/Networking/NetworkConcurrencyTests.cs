using Hull.Kernel.Tests.Harness;

namespace Hull.Kernel.Tests.Networking;

/// <summary>Many commands at one container at once: none of what they did is lost.</summary>
public sealed class NetworkConcurrencyTests(HullStore store) : NetworkTest(store)
{
    private const string NetworkNames = "{{range $name, $_ := .NetworkSettings.Networks}}{{$name}} {{end}}";

    [KernelTheory(Needs.Nftables)]
    [InlineData(true)]
    [InlineData(false)]
    public void ConnectAndDisconnect_ManyAtOnce_EachCounts(bool running)
    {
        string[] names = ["net0", "net1", "net2", "net3", "net4", "net5"];
        Assert.All(AtOnce(names.Length, i => ["network", "create", names[i]]), result => result.Ok());
        string id = Hull([.. running ? (string[])["run", "-d"] : ["create"], "--name", "box", Store.Busybox, "sleep", "1000"]).Ok();

        Assert.All(AtOnce(names.Length, i => ["network", "connect", names[i], "box"]), result => result.Ok());
        Assert.Equal("bridge net0 net1 net2 net3 net4 net5 ", Inspect("box", NetworkNames));

        Assert.All(AtOnce(names.Length, i => i % 2 == 0 ? ["network", "disconnect", names[i], id] : ["rename", id, $"box{i}"]), result => result.Ok());
        string name = Hull("ps", "-a", "--format", "{{.Names}}").Ok();
        Assert.Equal("bridge net1 net3 net5 ", Inspect(name, NetworkNames));
        if (!running)
        {
            Hull("start", name).Ok();
        }

        string links = InNetworkOf(name, "ip", "-o", "link", "show", "type", "veth").Ok();
        Assert.Equal(4, links.Split('\n').Length);
    }

    [KernelFact(Needs.Nftables)]
    public void Connect_WhileTheContainerStarts_IsOnTheNetwork()
    {
        Network("net");
        for (int round = 0; round < 6; round++)
        {
            Hull("create", "--name", $"box{round}", Store.Busybox, "sleep", "1000").Ok();
            Assert.All(AtOnce(2, i => i == 0 ? ["start", $"box{round}"] : ["network", "connect", "net", $"box{round}"]), result => result.Ok());

            Assert.Contains($"inet {AddressOf($"box{round}", "net")}/", InNetworkOf($"box{round}", "ip", "addr", "show").Ok(), StringComparison.Ordinal);
        }
    }

    [KernelFact(Needs.Nftables)]
    public void DisconnectedFromAll_IsConnectedAgain()
    {
        Network("net");
        Detached("box");
        Hull("network", "disconnect", "bridge", "box").Ok();
        Hull("restart", "-t", "0", "box").Ok();
        Assert.Equal("lo", Hull("exec", "box", "ls", "/sys/class/net").Ok().Trim());

        Hull("network", "connect", "net", "box").Ok();

        Assert.Contains($"inet {AddressOf("box", "net")}/", InNetworkOf("box", "ip", "addr", "show", "eth0").Ok(), StringComparison.Ordinal);
    }

    [KernelFact(Needs.Nftables | Needs.Strace)]
    public void List_NothingWrong_TakesNoLockAndLooksAtEachContainerOnce()
    {
        Network("net");
        string[] ids = [Detached("one", ["--network", "net", "--network", "bridge"]), Detached("two", ["--network", "net", "--network", "bridge"])];
        string trace = Path.Combine(Store.Scratch, "trace");

        Assert.Equal("two\none", Store.Shell($"strace -f -qq -e trace=openat -o {trace} $HULL ps --format '{{{{.Names}}}}'").Ok());

        string opened = File.ReadAllText(trace);
        Assert.DoesNotContain("/networks/lock", opened, StringComparison.Ordinal);
        Assert.All(ids, id => Assert.Equal(2, opened.Split($"/containers/{id}/lock\"").Length));

        OnHost("nft", "flush ruleset");
        Store.Shell($"strace -f -qq -e trace=openat -o {trace} $HULL ps -q").Ok();
        Assert.Contains("/networks/lock", File.ReadAllText(trace), StringComparison.Ordinal);
    }
}
