using Hull.Kernel.Tests.Harness;

namespace Hull.Kernel.Tests.Networking;

/// <summary>Debian's dnsmasq at 127.0.0.53 of this host, as systemd-resolved has it, and a resolv.conf that leads there, for hulls that are
/// started through <see cref="Hull"/>.</summary>
internal sealed class HostResolver : IDisposable
{
    public const string Address = "127.0.0.53";

    /// <summary>So many addresses that the answer goes by TCP.</summary>
    public const int Many = 120;

    private readonly HullStore _store;
    private readonly HullProcess _server;
    private readonly string _resolvConf;
    private readonly string _hosts;

    /// <param name="names">Lines of hosts(5) that it knows.</param>
    public HostResolver(HullStore store, params string[] names)
    {
        _store = store;
        _resolvConf = Path.Combine(store.Scratch, "resolv.conf");
        _hosts = Path.Combine(store.Scratch, "names");
        File.WriteAllLines(_hosts, [.. names, .. Enumerable.Range(1, Many).Select(i => $"198.18.0.{i} many.example")]);
        Configure($"nameserver {Address}");
        _server = store.StartProgram(
            "dnsmasq", "--keep-in-foreground", "--conf-file=/dev/null", "--port=53", $"--listen-address={Address}", "--bind-interfaces",
            "--no-resolv", "--no-hosts", $"--addn-hosts={_hosts}", "--pid-file=", "--user=root", "--edns-packet-max=512", "--local=/example/");
        Wait.Until(() => File.ReadAllText("/proc/self/net/udp").Contains("3500007F:0035", StringComparison.Ordinal), 10, () => $"dnsmasq does not serve: {_server.Stderr}");
    }

    /// <summary>Writes the host's resolv.conf anew, in place.</summary>
    public void Configure(params string[] lines) => File.WriteAllLines(_resolvConf, lines);

    /// <summary>Runs hull, and what it starts, where /etc/resolv.conf is this one.</summary>
    public RunResult Hull(params string[] words)
    {
        using HullProcess process = _store.StartProgram(
            "unshare", ["--mount", "sh", "-c", "mount --bind \"$0\" /etc/resolv.conf && exec \"$HULL\" \"$@\"", _resolvConf, .. words]);
        process.CloseInput();
        return process.Finish();
    }

    public void Dispose()
    {
        _server.Dispose();
        File.Delete(_resolvConf);
        File.Delete(_hosts);
    }
}
