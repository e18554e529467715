using Hull.Kernel.Tests.Harness;

namespace Hull.Kernel.Tests.Networking;

/// <summary>docker's --link: a container's own name for another one.</summary>
public sealed class ContainerLinkTests(HullStore store) : NetworkTest(store)
{
    [KernelFact(Needs.Nftables)]
    public void Link_OnTheDefaultNetwork_FollowsTheContainer()
    {
        Web("web");
        Detached("box", ["--link", "web:db", "--link", "web"]);

        Assert.Equal($"web saw {AddressOf("box")}", Fetch("box", "db"));
        Assert.Equal($"web saw {AddressOf("box")}", Fetch("box", "web"));
        Assert.Null(Fetch("web", "db"));
        Assert.Equal("[/web:/box/db /web:/box/web]", Inspect("box", "{{.HostConfig.Links}}"));
        // Names alone, as docker since 29.
        Assert.DoesNotContain("DB_", Hull("exec", "box", "env").Ok(), StringComparison.Ordinal);

        Hull("rename", "web", "www").Ok();
        Hull("restart", "-t", "0", "www").Ok();
        WaitUntilServed("www");
        Assert.Equal($"web saw {AddressOf("box")}", Fetch("box", "db"));
        Assert.Equal("/www:/box/db", Inspect("box", "{{index .HostConfig.Links 0}}"));
    }

    [KernelFact(Needs.Nftables)]
    public void Link_OnTheDefaultNetwork_WantsAContainerThatRuns()
    {
        BadInput.IsOneLine(Hull("run", "--link", "nobody:db", Store.Busybox, "true"), 125, "could not get container for nobody: No such container: nobody");
        BadInput.IsOneLine(Hull("run", "--link", "a:b:c", Store.Busybox, "true"), 125, "bad format for links: a:b:c");
        Hull("create", "--name", "web", Store.Busybox, "sleep", "1000").Ok();

        BadInput.IsOneLine(Hull("run", "--name", "box", "--link", "web:db", Store.Busybox, "true"), 125, "Cannot link to a non running container: /web AS /box/db");

        Hull("start", "web").Ok();
        Hull("start", "box").Ok();
        // The link goes with its container.
        Hull("rm", "-f", "web").Ok();
        Assert.Equal("null", Inspect("box", "{{json .HostConfig.Links}}"));
        Hull("start", "box").Ok();
    }

    [KernelTheory(Needs.Nftables)]
    [InlineData("host", "host type networking can't be used with links")]
    [InlineData("container:web", "container type network can't be used with links")]
    [InlineData("none", "network none cannot be combined")]
    public void Link_WithoutANetworkOfItsOwn_IsRefused(string mode, string words)
    {
        Detached("web");

        BadInput.IsOneLine(Hull("run", "--network", mode, "--link", "web:db", Store.Busybox, "true"), 125, words);
    }

    [KernelFact(Needs.Nftables)]
    public void Link_OnANetwork_IsANameWhoeverHasIt()
    {
        Network("net");
        Detached("box", ["--network", "net", "--link", "web:db"]);
        Assert.Equal("web:db", Inspect("box", "{{index .HostConfig.Links 0}}"));
        Assert.Equal("web:db", Inspect("box", "{{index .NetworkSettings.Networks.net.Links 0}}"));
        Assert.Null(Fetch("box", "db"));

        Web("web", "--network", "net");
        Assert.Equal($"web saw {AddressOf("box")}", Fetch("box", "db"));
    }

    [KernelFact(Needs.Nftables)]
    public void Connect_WithALink_HasTheNameAtOnce()
    {
        Network("net");
        Web("web", "--network", "net");
        Detached("box");

        Hull("network", "connect", "--link", "web:db", "net", "box").Ok();

        Assert.Equal($"web saw {AddressOf("box", "net")}", Fetch("box", "db"));
        Hull("restart", "-t", "0", "box").Ok();
        Assert.Equal($"web saw {AddressOf("box", "net")}", Fetch("box", "db"));
    }
}
