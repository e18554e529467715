using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json;
using Hull.Kernel.Tests.Harness;

namespace Hull.Kernel.Tests.Networking;

/// <summary>Programs that others wrote: nginx, dnsmasq, glibc's resolver, iperf3, apt.</summary>
public sealed class RealPeerTests(HullStore store) : NetworkTest(store)
{
    /// <summary>Debian with nginx, apt and glibc.</summary>
    private string Debian => Store.Image("nginx");

    [KernelFact(Needs.Nftables)]
    public void Nginx_BehindAPublishedPort_ServesAnotherHost()
    {
        Hull("run", "-d", "--name", "web", "-p", "8080:80", Debian).Ok();
        WaitUntilServed("web");

        foreach (string address in new[] { OutsideHost.HullAddress, OutsideHost.HullAddress6 })
        {
            RunResult page = Outside.Run("sh", "-c", Http.Request(address, 8080, "/"));
            Assert.Contains("Server: nginx", page.Stdout, StringComparison.Ordinal);
            Assert.Contains("Welcome to nginx!", page.Stdout, StringComparison.Ordinal);
        }

        // By NAT the client's own address is seen.
        Assert.Contains($"{OutsideHost.Address} - - ", Hull("exec", "web", "cat", "/var/log/nginx/access.log").Ok(), StringComparison.Ordinal);
    }

    [KernelFact(Needs.Nftables | Needs.Dnsmasq)]
    public void Dnsmasq_OnTheHostsLoopback_AnswersContainers()
    {
        using HostResolver resolver = new(Store, "192.0.2.77 web.example", "192.0.2.78 vpn.example");
        // The first is dead; glibc in the container tries web, then the search domain's.
        resolver.Configure("nameserver 127.0.0.52", $"nameserver {HostResolver.Address}", "search example");
        resolver.Hull("run", "-d", "--name", "box", Debian, "sleep", "1000").Ok();

        Assert.Equal("192.0.2.77", Resolve("web.example"));
        Assert.Equal("192.0.2.77", Resolve("web"));
        Assert.Equal("", Resolve("nobody.example"));
        // Longer than a datagram: asked for once more by TCP, inside and outside.
        Assert.Equal(HostResolver.Many, Hull("exec", "box", "getent", "ahostsv4", "many.example").Ok().Split('\n').Select(line => line.Split(' ')[0]).Distinct().Count());
        Assert.Contains("web.example", Hull("exec", "box", "getent", "hosts", "192.0.2.77").Ok(), StringComparison.Ordinal);
    }

    [KernelFact(Needs.Nftables | Needs.Dnsmasq)]
    public void ResolvConf_OfTheHostChanges_TheContainerAsksTheNewServer()
    {
        using HostResolver resolver = new(Store, "192.0.2.77 web.example");
        resolver.Configure("nameserver 127.0.0.52");
        resolver.Hull("run", "-d", "--name", "box", Debian, "sleep", "1000").Ok();
        Assert.Equal("", Resolve("web.example"));

        // A VPN comes up.
        resolver.Configure($"nameserver {HostResolver.Address}");

        Assert.Equal("192.0.2.77", Resolve("web.example"));
    }

    [KernelFact(Needs.Nftables | Needs.Dnsmasq)]
    public void Connect_FromInternalToAnotherNetwork_NamesOutsideAreAskedFor()
    {
        using HostResolver resolver = new(Store, "192.0.2.77 web.example");
        Network("closed", "--internal");
        resolver.Hull("run", "-d", "--name", "box", "--network", "closed", Debian, "sleep", "1000").Ok();
        Assert.Equal("", Resolve("web.example"));

        Hull("network", "connect", "bridge", "box").Ok();
        Wait.Until(() => Resolve("web.example") == "192.0.2.77", 5, () => "no answer from outside");

        Hull("network", "disconnect", "bridge", "box").Ok();
        Wait.Until(() => Resolve("web.example").Length == 0, 5, () => "still answered from outside");
    }

    [KernelFact(Needs.Nftables | Needs.Iperf)]
    public void Iperf_FromContainerToContainer_PassesItsBytes()
    {
        Network("net", "--ipv6");
        Detached("server", ["--network", "net"]);
        Detached("client", ["--network", "net"]);
        foreach (string address in new[] { AddressOf("server"), Address6Of("server") })
        {
            using HullProcess server = Store.StartProgram("nsenter", "--net", "--target", Inspect("server", "{{.State.Pid}}"), "iperf3", "--server", "--one-off", "--forceflush");
            server.WaitForOutput("Server listening");

            using JsonDocument report = JsonDocument.Parse(InNetworkOf("client", "iperf3", "--client", address, "--bytes", "64M", "--json").Ok());

            // The server counts until the client says that it is done, not what is still on its way then.
            Assert.True(Bytes("sum_sent") >= 64 << 20 && Bytes("sum_received") >= 32 << 20, report.RootElement.GetProperty("end").ToString());

            long Bytes(string sum) => report.RootElement.GetProperty("end").GetProperty(sum).GetProperty("bytes").GetInt64();
        }
    }

    [KernelFact(Needs.Nftables | Needs.Dnsmasq)]
    public void AptGetUpdate_FromAServerByName_Works()
    {
        string packages = "Package: hull-test\nVersion: 1.0\nArchitecture: all\nMaintainer: nobody\nFilename: ./hull-test.deb\nSize: 1\nSHA256: 00\nDescription: found\n\n";
        string repository = Directory.CreateDirectory(Path.Combine(Store.Scratch, "apt")).FullName;
        File.WriteAllText(Path.Combine(repository, "Packages"), packages);
        string digest = Convert.ToHexStringLower(SHA256.HashData(System.Text.Encoding.ASCII.GetBytes(packages)));
        File.WriteAllText(
            Path.Combine(repository, "Release"),
            string.Create(CultureInfo.InvariantCulture, $"Date: {DateTime.UtcNow:R}\nSHA256:\n {digest} {packages.Length} Packages\n"));
        using HostResolver resolver = new(Store, $"{OutsideHost.Address} deb.example");
        using HullProcess server = Outside.Start("python3", "-u", "-m", "http.server", "8000", "--bind", OutsideHost.Address, "--directory", repository);
        server.WaitForOutput("Serving HTTP");

        RunResult update = resolver.Hull(
            "run", "--rm", Debian, "sh", "-c",
            "rm -rf /etc/apt/sources.list*; echo 'deb [trusted=yes] http://deb.example:8000/ ./' > /etc/apt/sources.list; apt-get update && apt-cache show hull-test");

        Assert.Contains("Description: found", update.Ok(), StringComparison.Ordinal);
        Assert.Contains("http://deb.example:8000", update.Stdout, StringComparison.Ordinal);
    }

    /// <summary>As a program of the container's sees it; empty where there is none such.</summary>
    private string Resolve(string name) => Hull("exec", "box", "getent", "ahostsv4", name).Stdout.Split(' ')[0];
}
