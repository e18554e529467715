using System.Net;
using Hull.Kernel.Tests.Harness;

namespace Hull.Kernel.Tests.Networking;

/// <summary>Base of the tests of networks through the binary: containers that serve and ask, and another host beside this one.
/// Everything is in the network namespace of this process, which is the suite's own; networks and the other host go with the test.</summary>
public abstract class NetworkTest(HullStore store) : KernelTest(store)
{
    private OutsideHost? _outside;

    /// <summary>Another host, there from its first use.</summary>
    protected OutsideHost Outside => _outside ??= new OutsideHost();

    /// <summary><c>hull network create FLAGS NAME</c>; returns the id.</summary>
    protected string Network(string name, params string[] flags) => Hull(["network", "create", .. flags, name]).Ok();

    /// <summary>A container that serves <see cref="Http.Server"/>, under its name as its host name; ready when this returns.</summary>
    protected string Web(string name, params string[] flags)
    {
        string id = Detached(name, ["--hostname", name, .. flags], "sh", "-c", Http.Server);
        WaitUntilServed(name);
        return id;
    }

    /// <summary>Waits until somebody listens at the container's port 80.</summary>
    protected void WaitUntilServed(string name)
    {
        string pid = Inspect(name, "{{.State.Pid}}");
        Wait.Until(
            () => (File.ReadAllText($"/proc/{pid}/net/tcp") + File.ReadAllText($"/proc/{pid}/net/tcp6")).Contains(":0050 ", StringComparison.Ordinal),
            10, () => $"{name} does not serve: {Hull("logs", name).Stderr}");
    }

    /// <summary>What a <see cref="Web"/> says at an address, asked for from a running container; null where no answer comes within seconds.</summary>
    protected string? Fetch(string container, string address, int port = 80) => Http.Read(Hull("exec", container, "sh", "-c", Http.Request(address, port)));

    /// <summary>The same from this host.</summary>
    protected string? FetchFromHost(string address, int port = 80) => Http.Read(Store.Shell(Http.Request(address, port)));

    /// <summary>Whether a container gets a TCP connection within two seconds.</summary>
    protected bool Reaches(string container, string address, int port) =>
        Hull("exec", container, "nc", "-w", "2", address, $"{port}", "-e", "true").ExitCode == 0;

    /// <summary>A running container's address on one of its networks, or its only one.</summary>
    protected string AddressOf(string container, string? network = null) => OfEndpoint(container, network, "IPAddress");

    /// <summary>The IPv6 one.</summary>
    protected string Address6Of(string container, string? network = null) => OfEndpoint(container, network, "GlobalIPv6Address");

    /// <summary>A program of this machine's, in the suite's namespace.</summary>
    protected string OnHost(string program, params string[] arguments)
    {
        using HullProcess process = Store.StartProgram(program, arguments);
        return process.Finish().Ok();
    }

    /// <summary>A program of this machine's, in a container's network: for what the image lacks.</summary>
    protected RunResult InNetworkOf(string container, params string[] command)
    {
        using HullProcess process = Store.StartProgram("nsenter", ["--net", "--target", Inspect(container, "{{.State.Pid}}"), .. command]);
        return process.Finish();
    }

    /// <summary>Several hulls at once, each with the words that its number gets.</summary>
    protected RunResult[] AtOnce(int count, Func<int, string[]> words)
    {
        HullProcess[] all = [.. Enumerable.Range(0, count).Select(i => Store.Start(words(i)))];
        try
        {
            return [.. all.Select(process => process.Finish(60))];
        }
        finally
        {
            Array.ForEach(all, process => process.Dispose());
        }
    }

    public override void Dispose()
    {
        Store.RemoveContainers();
        Hull("network", "prune", "-f").Ok();
        _outside?.Dispose();
        base.Dispose();
        GC.SuppressFinalize(this);
    }

    private string OfEndpoint(string container, string? network, string field)
    {
        string template = network is null ? $"{{{{range .NetworkSettings.Networks}}}}{{{{.{field}}}}}{{{{end}}}}" : $"{{{{(index .NetworkSettings.Networks \"{network}\").{field}}}}}";
        string address = Inspect(container, template);
        Assert.True(IPAddress.TryParse(address, out _), $"no {field} of {container} on {network ?? "its network"}: \"{address}\"");
        return address;
    }
}
