using System.Text.Json;
using Hull.Kernel.Tests.Harness;
using Hull.Linux.Netlink;

namespace Hull.Kernel.Tests.Networking;

/// <summary>A network namespace of a test's own, with loopback up. It ends, with all that is in it, when it is disposed.</summary>
public sealed class TestNamespace : IDisposable
{
    private static readonly Dictionary<string, string?> NoEnvironment = [];

    public TestNamespace()
    {
        // No second of waiting whether somebody else has a link-local address.
        Namespace.Within(() =>
        {
            File.WriteAllText("/proc/sys/net/ipv6/conf/all/accept_dad", "0");
            File.WriteAllText("/proc/sys/net/ipv6/conf/default/accept_dad", "0");
        });
        using Rtnetlink links = Rtnetlink.Open(Namespace);
        links.SetUp(links.GetLink("lo").Index);
    }

    public NetworkNamespace Namespace { get; } = NetworkNamespace.New();

    /// <summary>Runs a program inside: a child is born in the namespace of the thread that starts it.</summary>
    public RunResult Run(string program, params string[] arguments)
    {
        using HullProcess process = Start(program, arguments);
        return process.Finish();
    }

    /// <inheritdoc cref="Run"/>
    public HullProcess Start(string program, params string[] arguments) =>
        Namespace.Within(() => new HullProcess(Machine.FindProgram(program)!, arguments, NoEnvironment));

    /// <summary>What <c>ip -j -d …</c> says inside.</summary>
    public JsonElement Ip(params string[] arguments)
    {
        string text = Run("ip", ["-j", "-d", .. arguments]).Ok();
        using JsonDocument document = JsonDocument.Parse(text.Length == 0 ? "[]" : text);
        return document.RootElement.Clone();
    }

    /// <summary>The one object that <c>ip -j -d …</c> prints.</summary>
    public JsonElement IpOne(params string[] arguments) => Ip(arguments).EnumerateArray().Single(entry => entry.EnumerateObject().Any());

    public void Dispose() => Namespace.Dispose();
}
