using System.Net;
using System.Runtime.InteropServices;
using Hull.Linux;

namespace Hull.Networking.Dns;

/// <summary>The servers outside, how patiently they are asked, and which of them failed lately. Not thread-safe.</summary>
public sealed class UpstreamSet
{
    /// <summary>More than the three of glibc (MAXNS); each costs a client its patience.</summary>
    internal const int MaxServers = 8;

    private const int Port = 53;

    /// <summary>How long a server that did not answer is asked after the others, milliseconds.</summary>
    private const int FailureMemory = 10_000;

    /// <summary>Nobody is ever asked: for a container that is on internal networks only (CVE-2024-29018).</summary>
    public static readonly UpstreamSet None = new([]);

    private readonly long[] _failedUntil;
    private uint _turn;

    /// <param name="servers">In order of use; beyond the eighth they are left out.</param>
    public UpstreamSet(ReadOnlySpan<Upstream> servers)
    {
        Servers = servers[..Math.Min(servers.Length, MaxServers)].ToArray();
        _failedUntil = new long[Servers.Count];
    }

    public IReadOnlyList<Upstream> Servers { get; }

    /// <summary>How long one server has for one attempt: option <c>timeout</c>, 1 to 5 seconds; 2 where it says nothing.</summary>
    /// <remarks>glibc and musl in the container give this server 5 seconds; the next server outside must get its chance before.</remarks>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>How often every server is asked: option <c>attempts</c>, 1 to 5; 2 where it says nothing.</summary>
    public int Attempts { get; init; } = 2;

    /// <summary>Option <c>rotate</c>: each question begins with the next server.</summary>
    public bool Rotate { get; init; }

    /// <summary>The servers and options of a resolv.conf. Servers that are no address are left out.</summary>
    /// <param name="fromContainer">Whether the servers are asked from the container's network namespace: those that a user gave for
    /// it (<c>--dns</c>) may be reachable from nowhere else, those of the host (<c>127.0.0.53</c>, <c>fe80::1%eth0</c>) from the
    /// host alone.</param>
    public static UpstreamSet From(ResolvConf configuration, bool fromContainer)
    {
        List<Upstream> servers = [];
        foreach (string text in configuration.NameServers)
        {
            if (IPAddress.TryParse(text, out IPAddress? address))
            {
                servers.Add(new Upstream(new SocketEndpoint(address, Port), fromContainer));
            }
        }

        return new UpstreamSet(CollectionsMarshal.AsSpan(servers))
        {
            Timeout = TimeSpan.FromSeconds(Math.Clamp(configuration.Option("timeout") ?? 2, 1, 5)),
            Attempts = Math.Clamp(configuration.Option("attempts") ?? 2, 1, 5),
            Rotate = configuration.Options.Contains("rotate"),
        };
    }

    /// <summary>Where a question begins.</summary>
    internal int First() => Rotate && Servers.Count > 0 ? (int)(_turn++ % (uint)Servers.Count) : 0;

    /// <summary>Who is asked next: of those not asked yet the first that did not fail lately, or else the first.</summary>
    /// <param name="asked">One bit a server.</param>
    /// <returns>Below 0: all were asked.</returns>
    internal int Choose(int first, uint asked)
    {
        int failed = -1;
        for (int i = 0; i < _failedUntil.Length; i++)
        {
            int server = (first + i) % _failedUntil.Length;
            if ((asked & (1u << server)) != 0)
            {
                continue;
            }

            if (_failedUntil[server] <= Environment.TickCount64)
            {
                return server;
            }

            failed = failed < 0 ? server : failed;
        }

        return failed;
    }

    /// <summary>A server did not answer: for some time the others are asked before it.</summary>
    internal void Failed(int server) => _failedUntil[server] = Environment.TickCount64 + FailureMemory;

    internal void Answered(int server) => _failedUntil[server] = 0;
}
