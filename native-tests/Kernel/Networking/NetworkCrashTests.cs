using System.Globalization;
using Hull.Kernel.Tests.Harness;

namespace Hull.Kernel.Tests.Networking;

/// <summary>kill -9 at any moment, others' hands on the firewall, many at once: then everything works, or nothing is left.</summary>
public sealed class NetworkCrashTests(HullStore store) : NetworkTest(store)
{
    /// <summary>How often something is killed; 200 is what a release has to stand.</summary>
    private static readonly int Rounds =
        int.TryParse(Environment.GetEnvironmentVariable("HULL_TEST_KILLS"), CultureInfo.InvariantCulture, out int rounds) ? rounds : 25;

    [KernelFact(Needs.Nftables)]
    public void Cli_KilledAtAnyInstant_LeavesNothing()
    {
        Network("net");
        _ = Store.Busybox;
        Random random = new(4);
        for (int round = 0; round < Rounds; round++)
        {
            using HullProcess run = Store.Start("run", "--rm", "--network", "net", "-p", "8080:80", "busybox", "sleep", "0.02");
            Thread.Sleep(random.Next(60 * Machine.TimeScale));
            run.Kill();
        }

        // What was started ends by itself.
        Wait.Until(() => !HullProcesses.InOwnNetwork().Any(), 10, () => Hull("ps", "-a").Stdout);
        Web("web", "--network", "net", "-p", "8080:80");
        Assert.NotNull(FetchFromHost("127.0.0.1", 8080));
    }

    [KernelFact(Needs.Nftables)]
    public void Monitor_KilledAtAnyInstant_LeavesNothing()
    {
        Network("net", "--subnet", "172.28.0.0/16");
        _ = Store.Busybox;
        Random random = new(5);
        for (int round = 0; round < Rounds; round++)
        {
            using HullProcess run = Store.Start("run", "--name", $"box{round}", "--network", "net", "--network", "bridge", "-p", "8080:80", "busybox", "sleep", "1000");
            Thread.Sleep(random.Next(60 * Machine.TimeScale));
            // Whatever of it lives: the command, the monitor, both.
            Kill(except: random.Next(2) == 0 ? run.Pid : 0);
            run.Kill();
            if (round % 3 == 0)
            {
                Hull("ps", "-q").Ok();
            }
        }

        Store.RemoveContainers();
        Web("web", "--network", "net", "-p", "8080:80");
        Assert.Equal("172.28.0.2", AddressOf("web"));
        Assert.NotNull(FetchFromHost("127.0.0.1", 8080));
    }

    [KernelFact(Needs.Nftables)]
    public void Monitor_Killed_NextCommandTakesItOffItsNetworks()
    {
        Network("net");
        Detached("box", ["--network", "net", "-p", "8080:80"]);
        Kill(except: 0);

        Wait.Until(() => Inspect("box", "{{.State.Status}}") == "exited", 5, () => Inspect("box", "{{json .State}}"));

        Assert.Equal("", OnHost("nft", "list", "tables"));
        Assert.Equal("{}", Hull("network", "inspect", "-f", "{{json .Containers}}", "net").Ok());
        Assert.Equal("net", Hull("network", "rm", "net").Ok());
    }

    /// <summary>What a start leaves that is killed between two steps of making its bridge.</summary>
    [KernelTheory(Needs.Nftables)]
    [InlineData("")]
    [InlineData("br-mine")]
    public void Bridge_HalfMadeByAKilledStart_IsMadeAnewAndGoes(string name)
    {
        string id = Network("net", ["--subnet", "172.28.0.0/16", .. name.Length > 0 ? (string[])["--opt", $"com.docker.network.bridge.name={name}"] : []]);
        OnHost("ip", "link", "add", $"br-{id[..12]}", "type", "bridge");

        Web("web", "--network", "net");

        Assert.Equal("web saw 172.28.0.1", FetchFromHost(AddressOf("web")));
        Hull("rm", "-f", "web").Ok();
        Wait.Until(() => !OnHost("ip", "-o", "link").Contains("br-", StringComparison.Ordinal), 5, () => OnHost("ip", "-o", "link"));
    }

    /// <summary>What the end of the last container leaves that is killed before its firewall's.</summary>
    [KernelFact(Needs.Nftables)]
    public void Tables_OfNoContainer_GoWithTheNextListing()
    {
        string before = File.ReadAllText("/proc/sys/net/ipv4/ip_forward");
        OutsideHost.Sysctl("ipv4/ip_forward", "0");
        try
        {
            string networks = Path.Combine(Store.ExecRoot, "networks");
            Detached("box");
            string[] files = ["generation", "forwarding4"];
            byte[][] content = [.. files.Select(file => File.ReadAllBytes(Path.Combine(networks, file)))];
            string ruleset = OnHost("nft", "list", "ruleset");
            Hull("rm", "-f", "box").Ok();
            Wait.Until(() => OnHost("nft", "list", "tables").Length == 0, 5, () => OnHost("nft", "list", "tables"));
            foreach ((string file, byte[] bytes) in files.Zip(content))
            {
                File.WriteAllBytes(Path.Combine(networks, file), bytes);
            }

            OnHost("nft", ruleset);
            OutsideHost.Sysctl("ipv4/ip_forward", "1");

            Hull("ps").Ok();

            Assert.Equal("", OnHost("nft", "list", "tables"));
            Assert.Equal("0", File.ReadAllText("/proc/sys/net/ipv4/ip_forward").Trim());
        }
        finally
        {
            OutsideHost.Sysctl("ipv4/ip_forward", before.Trim());
        }
    }

    [KernelFact(Needs.Nftables)]
    public void Firewall_FlushedByOthers_IsRestoredByTheNextCommand()
    {
        Network("other");
        Web("web", "-p", "8080:80");
        Web("stranger", "--network", "other");
        foreach (string command in new[] { "flush ruleset", "delete table inet hull", "flush chain inet hull forward", "flush map inet hull any-ports4", "delete table bridge hull" })
        {
            OnHost("nft", command);

            Hull("ps").Ok();

            Assert.NotNull(Outside.Fetch(OutsideHost.HullAddress, 8080));
            Assert.Null(Fetch("web", AddressOf("stranger")));
            Assert.Contains("table bridge hull", OnHost("nft", "list", "tables"), StringComparison.Ordinal);
        }
    }

    [KernelFact(Needs.Nftables)]
    public void Create_TwoAtOnce_DoNotShareASubnet()
    {
        for (int round = 0; round < 5; round++)
        {
            RunResult[] made = AtOnce(4, i => ["network", "create", $"net{round}-{i}"]);
            Assert.All(made, result => result.Ok());
        }

        string[] names = Hull("network", "ls", "-f", "type=custom", "--format", "{{.Name}}").Ok().Split('\n');
        string[] subnets = Hull(["network", "inspect", "-f", "{{(index .IPAM.Config 0).Subnet}}", .. names]).Ok().Split('\n');
        Assert.Equal(20, subnets.Distinct().Count());

        RunResult[] same = AtOnce(4, _ => ["network", "create", "same"]);
        Assert.Equal(1, same.Count(result => result.ExitCode == 0));
    }

    [KernelFact(Needs.Nftables)]
    public void Run_TwentyAtOnce_EachHasAnAddressOfItsOwn()
    {
        Network("net", "--ipv6");
        _ = Store.Busybox;

        RunResult[] started = AtOnce(20, i => ["run", "-d", "--name", $"box{i}", "--network", "net", "-p", "80", "busybox", "sleep", "1000"]);

        Assert.All(started, result => result.Ok());
        string[] addresses = Hull(["inspect", "-f", "{{with .NetworkSettings.Networks.net}}{{.IPAddress}} {{.GlobalIPv6Address}}{{end}}", .. started.Select(result => result.Stdout.Trim())]).Ok().Split('\n');
        Assert.Equal(20, addresses.Distinct().Count());
        Assert.Equal(20, addresses.Select(pair => pair.Split(' ')[0]).Distinct().Count());
        Hull(["rm", "-f", .. started.Select(result => result.Stdout.Trim())]).Ok();
        Assert.Equal("", OnHost("nft", "list", "tables"));
    }

    [KernelFact(Needs.Nftables)]
    public void FortyContainers_MadeAndRemoved_NothingIsLeft()
    {
        string id = Network("net");
        string[] before = Files();
        for (int i = 0; i < 40; i++)
        {
            Detached($"box{i}", ["--network", "net", "-p", "80"]);
        }

        Assert.Equal(40, OnHost("ip", "-o", "link", "show", "master", $"br-{id[..12]}").Split('\n').Length);
        Store.RemoveContainers();

        // A monitor ends after its answer.
        Wait.Until(() => Files().SequenceEqual(before), 5, () => string.Join('\n', Files().Except(before)));
        Assert.DoesNotContain($"br-{id[..12]}", OnHost("ip", "-o", "link"), StringComparison.Ordinal);

        string[] Files() => Directory.Exists(Path.Combine(Store.ExecRoot, "networks"))
            ? [.. Directory.EnumerateDirectories(Path.Combine(Store.ExecRoot, "networks"), "*", SearchOption.AllDirectories).Order()]
            : [];
    }

    /// <summary>Kills hull's processes in the suite's network, but for one.</summary>
    private void Kill(int except)
    {
        foreach (int pid in HullProcesses.InOwnNetwork().Where(pid => pid != except))
        {
            // ESRCH: it has ended by itself.
            Store.Shell($"kill -9 {pid} 2> /dev/null; true").Ok();
        }
    }
}
