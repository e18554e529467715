using System.Diagnostics;
using Hull.Kernel.Tests.Harness;

namespace Hull.Kernel.Tests.Networking;

/// <summary>Names on networks, as 127.0.0.11 answers them. glibc asks (Debian's getent); busybox's nslookup shows codes.</summary>
public sealed class NameTests(HullStore store) : NetworkTest(store)
{
    [KernelFact(Needs.Nftables)]
    public void Names_OfANeighbour_LeadToItsAddress()
    {
        Network("net", "--subnet", "172.28.0.0/16");
        string id = Detached("web", ["--network", "net", "--network-alias", "db", "--hostname", "elsewhere"]);
        Asker("box", "--network", "net");

        Assert.Equal("nameserver 127.0.0.11", Hull("exec", "box", "grep", "^nameserver", "/etc/resolv.conf").Ok());
        foreach (string name in new[] { "web", "db", id[..12], "web.net", "WEB" })
        {
            Assert.Equal("172.28.0.2", Resolve("box", name));
        }

        Assert.Equal("172.28.0.3", Resolve("box", "box"));
        Assert.Contains("web.net", Hull("exec", "box", "getent", "hosts", "172.28.0.2").Ok(), StringComparison.Ordinal);
    }

    [KernelFact(Needs.Nftables)]
    public void Names_Unknown_AndOfOtherNetworks_HaveNoAddress()
    {
        Network("net");
        Network("other");
        Detached("stranger", ["--network", "other"]);
        Asker("box", "--network", "net");

        Assert.Null(Resolve("box", "stranger"));
        Assert.Null(Resolve("box", "nobody"));
    }

    [KernelFact(Needs.Nftables)]
    public void Names_IPv6_AndReverse()
    {
        Network("net", "--subnet", "172.28.0.0/16", "--subnet", "fd00:28::/64", "--ipv6");
        Detached("web", ["--network", "net"]);
        Asker("box", "--network", "net");

        Assert.Equal("fd00:28::2", Resolve("box", "web", "ahostsv6"));
        Assert.Contains("web.net", Hull("exec", "box", "getent", "hosts", "fd00:28::2").Ok(), StringComparison.Ordinal);
    }

    [KernelFact(Needs.Nftables)]
    public void Alias_OfSeveral_LeadsToAllOfThem()
    {
        Network("net", "--subnet", "172.28.0.0/16");
        Detached("one", ["--network", "net", "--network-alias", "web"]);
        Detached("two", ["--network", "net", "--network-alias", "web"]);
        Asker("box", "--network", "net");

        string[] all = [.. Hull("exec", "box", "getent", "ahostsv4", "web").Ok().Split('\n').Select(line => line.Split(' ')[0]).Distinct().Order()];
        Assert.Equal(["172.28.0.2", "172.28.0.3"], all);
    }

    [KernelFact(Needs.Nftables)]
    public void Changes_ShowWithin100Milliseconds()
    {
        Network("net");
        Asker("box", "--network", "net");
        Assert.Null(Resolve("box", "web"));

        Detached("web", ["--network", "net"]);
        AssertSoon(() => Resolve("box", "web") is not null);
        Hull("rm", "-f", "web").Ok();
        AssertSoon(() => Resolve("box", "web") is null);
    }

    [KernelFact(Needs.Nftables)]
    public void Renamed_Neighbour_IsFoundByItsNewNameAlone()
    {
        Network("net", "--subnet", "172.28.0.0/16");
        string id = Detached("web", ["--network", "net", "--network-alias", "db"]);
        Asker("box", "--network", "net");
        Assert.Equal("172.28.0.2", Resolve("box", "web"));

        Hull("rename", "web", "www").Ok();

        Assert.Null(Resolve("box", "web"));
        foreach (string name in new[] { "www", "db", id[..12], "www.net" })
        {
            Assert.Equal("172.28.0.2", Resolve("box", name));
        }

        Assert.Contains("www.net", Hull("exec", "box", "getent", "hosts", "172.28.0.2").Ok(), StringComparison.Ordinal);
        // Its old name is another's to take.
        Detached("web", ["--network", "net"]);
        Assert.Equal("172.28.0.4", Resolve("box", "web"));
        Assert.Equal("172.28.0.2", Resolve("box", "www"));
        Hull("restart", "-t", "0", "www").Ok();
        Assert.NotNull(Resolve("box", "www"));
    }

    [KernelFact(Needs.Nftables)]
    public void Restarted_Neighbour_IsFoundAtItsNewAddress()
    {
        Network("net", "--subnet", "172.28.0.0/16");
        Detached("web", ["--network", "net"]);
        Asker("box", "--network", "net");
        Hull("stop", "-t", "0", "web").Ok();
        Hull("create", "--name", "third", "--network", "net", "--ip", "172.28.0.2", Store.Busybox, "sleep", "1000").Ok();
        // The address goes after the end was told.
        Wait.Until(() => Hull("start", "third").ExitCode == 0, 10, () => "the address is still taken");
        Hull("start", "web").Ok();

        Assert.Equal("172.28.0.2", Resolve("box", "third"));
        Assert.Equal("172.28.0.4", Resolve("box", "web"));
    }

    /// <summary>A user has 128 of them (fs.inotify.max_user_instances), and a host may have more containers.</summary>
    [KernelFact(Needs.Nftables)]
    public void Monitor_TakesNoInotifyInstance()
    {
        Detached("box");
        string monitor = Store.Shell($"awk '/^PPid:/ {{ print $2 }}' /proc/{Inspect("box", "{{.State.Pid}}")}/status").Ok();

        string[] open = [.. Directory.GetFiles($"/proc/{monitor}/fd").Select(file => new FileInfo(file).LinkTarget ?? "")];

        Assert.Contains(open, target => target.Contains("eventpoll", StringComparison.Ordinal));
        Assert.DoesNotContain(open, target => target.Contains("inotify", StringComparison.Ordinal));
    }

    private void AssertSoon(Func<bool> condition)
    {
        // The command that asks takes its own time: what is measured is from one question to the next.
        Stopwatch watch = Stopwatch.StartNew();
        int asked = 0;
        while (!condition())
        {
            asked++;
            Assert.True(watch.ElapsedMilliseconds < 100 * Machine.TimeScale || asked < 2, $"not seen after {watch.ElapsedMilliseconds} ms");
        }
    }

    private void Asker(string name, params string[] flags) => Hull(["run", "-d", "--name", name, .. flags, Store.Image("debian"), "sleep", "1000"]).Ok();

    private string? Resolve(string container, string name, string database = "ahostsv4")
    {
        RunResult answer = Hull("exec", container, "getent", database, name);
        return answer.ExitCode == 0 ? answer.Stdout.Split(' ')[0] : null;
    }
}
