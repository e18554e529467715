using System.Diagnostics;
using System.Net.Sockets;
using Hull.Linux;
using Hull.Networking.Dns;

namespace Hull.Networking.Tests.Dns;

public sealed class DnsServerTests
{
    [Fact]
    public void Ask_KnownName_AnsweredHereByBothWays()
    {
        using FakeUpstream upstream = FakeUpstream.Answering("192.0.2.1");
        using ServerFixture fixture = new(upstream);
        using Socket tcp = fixture.Tcp();

        Assert.Equal(["10.0.0.2"], fixture.Ask(Packets.Query("web", Packets.A)).Addresses);
        Assert.Equal(0, fixture.Ask(Packets.Query("web", Packets.Aaaa)).AnswerCount);
        tcp.Send(ServerFixture.Framed(Packets.Query("web", Packets.A)));
        Assert.Equal(["10.0.0.2"], ServerFixture.ReceiveFramed(tcp).Addresses);

        Assert.Empty(upstream.Queries);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Ask_UnknownName_ForwardedAsItIsWithAnotherIdAndPort(bool stream)
    {
        using FakeUpstream upstream = FakeUpstream.Answering("192.0.2.1");
        using ServerFixture fixture = new(upstream);
        byte[] query = Packets.Query("eXample.org", Packets.A, 1232, id: 0xBEEF, dnssec: true);
        for (int i = 0; i < 8; i++)
        {
            Reply reply;
            if (stream)
            {
                using Socket tcp = fixture.Tcp();
                tcp.Send(ServerFixture.Framed(query));
                reply = ServerFixture.ReceiveFramed(tcp);
            }
            else
            {
                reply = fixture.Ask(query);
            }

            Assert.Equal((0xBEEF, "eXample.org."), (reply.Id, reply.Question));
            Assert.Equal(["192.0.2.1"], reply.Addresses);
        }

        Assert.All(upstream.Queries, one => Assert.Equal((stream, Convert.ToHexString(query.AsSpan(2))), (one.Stream, Convert.ToHexString(one.Query.AsSpan(2)))));
        // Eight times the same of 65536 ids, or of 28000 ports, does not happen.
        Assert.True(upstream.Queries.Select(one => (one.Query[0] << 8) | one.Query[1]).Distinct().Count() > 1);
        Assert.True(upstream.Queries.Select(one => one.Port).Distinct().Count() > 1);
        Assert.Equal(0, fixture.Do(() => fixture.Server.InFlight));
    }

    [Fact]
    public void Ask_NoUpstream_NoSuchNameAtOnce()
    {
        using FakeUpstream upstream = FakeUpstream.Answering("192.0.2.1");
        using ServerFixture fixture = new(upstream);
        fixture.Do(() => fixture.Server.Upstreams = UpstreamSet.None);

        Reply reply = fixture.Ask(Packets.Query("example.org", Packets.A, 1232));

        Assert.Equal((3, 1), (reply.Code, reply.AuthorityCount));
        Assert.NotNull(reply.Opt);
        Assert.Empty(upstream.Queries);
        Assert.Equal(["10.0.0.2"], fixture.Ask(Packets.Query("web", Packets.A)).Addresses);
    }

    [Fact]
    public void Ask_FirstServerSilent_TheNextAnswersAndIsAskedFirstFromThenOn()
    {
        using FakeUpstream silent = FakeUpstream.Silent();
        using FakeUpstream second = FakeUpstream.Answering("192.0.2.2");
        using ServerFixture fixture = new(silent, second);

        Assert.Equal(["192.0.2.2"], fixture.Ask(Packets.Query("a.example", Packets.A)).Addresses);
        Assert.Equal(["192.0.2.2"], fixture.Ask(Packets.Query("b.example", Packets.A)).Addresses);

        Assert.Single(silent.Queries);
        Assert.Equal(2, second.Queries.Count);
        Assert.Equal([false, true, true], fixture.Connections.Select(server => server.FromContainer).Order());
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Ask_FirstServerGone_TheNextAnswersWithoutWaiting(bool stream)
    {
        using FakeUpstream gone = FakeUpstream.Gone();
        using FakeUpstream second = FakeUpstream.Answering("192.0.2.2");
        using ServerFixture fixture = new();
        fixture.Do(() => fixture.Server.Upstreams = new UpstreamSet([new Upstream(gone.Endpoint, false), new Upstream(second.Endpoint, false)]) { Timeout = TimeSpan.FromSeconds(5) });
        Stopwatch watch = Stopwatch.StartNew();

        if (stream)
        {
            using Socket tcp = fixture.Tcp();
            tcp.Send(ServerFixture.Framed(Packets.Query("a.example", Packets.A)));
            Assert.Equal(["192.0.2.2"], ServerFixture.ReceiveFramed(tcp).Addresses);
        }
        else
        {
            Assert.Equal(["192.0.2.2"], fixture.Ask(Packets.Query("a.example", Packets.A)).Addresses);
        }

        Assert.True(watch.ElapsedMilliseconds < 4000);
    }

    [Fact]
    public void Ask_AllServersSilent_ServerFailureAfterAllAttempts()
    {
        using FakeUpstream first = FakeUpstream.Silent();
        using FakeUpstream second = FakeUpstream.Silent();
        using ServerFixture fixture = new(first, second);
        Stopwatch watch = Stopwatch.StartNew();

        Reply reply = fixture.Ask(Packets.Query("a.example", Packets.A, id: 77));

        Assert.Equal((2, 77), (reply.Code, reply.Id));
        Assert.Equal((2, 2), (first.Queries.Count, second.Queries.Count));
        Assert.InRange(watch.ElapsedMilliseconds, 590, 5000);
    }

    [Theory]
    [InlineData(2)]
    [InlineData(4)]
    [InlineData(5)]
    public void Ask_ServerDeclines_TheNextIsAskedAndTheLastWordPassedOn(int code)
    {
        using FakeUpstream declines = FakeUpstream.Answering("", code);
        using FakeUpstream second = FakeUpstream.Answering("192.0.2.2");
        using ServerFixture fixture = new(declines, second);
        Assert.Equal(["192.0.2.2"], fixture.Ask(Packets.Query("a.example", Packets.A)).Addresses);

        fixture.Do(() => fixture.Server.Upstreams = ServerFixture.Set([declines]));
        Reply reply = fixture.Ask(Packets.Query("a.example", Packets.A, id: 99));

        Assert.Equal((code, 99, "a.example."), (reply.Code, reply.Id, reply.Question));
        // Once each: a clear word is not asked for again.
        Assert.Equal(2, declines.Queries.Count);
    }

    [Fact]
    public void Ask_NameDoesNotExistOutside_PassedOn()
    {
        using FakeUpstream first = FakeUpstream.Answering("", 3);
        using FakeUpstream second = FakeUpstream.Answering("192.0.2.2");
        using ServerFixture fixture = new(first, second);

        Assert.Equal(3, fixture.Ask(Packets.Query("a.example", Packets.A)).Code);
        Assert.Empty(second.Queries);
    }

    [Fact]
    public void Ask_ForgedAnswersFirst_TheTrueOneIsTaken()
    {
        using FakeUpstream upstream = new(query =>
        {
            byte[] wrongId = Packets.Answer(query, "203.0.113.1");
            wrongId[1] ^= 1;
            byte[] wrongName = Packets.Answer(query, "203.0.113.2");
            wrongName[13] ^= 1;
            byte[] wrongType = Packets.Answer(query, "203.0.113.3");
            wrongType[12 + 11 + 1] = 0x21;
            byte[] noResponse = Packets.Answer(query, "203.0.113.4");
            noResponse[2] &= 0x7F;
            byte[] noQuestion = [.. query.AsSpan(0, 2), 0x81, 0x80, 0, 0, 0, 0, 0, 0, 0, 0];
            return [wrongId, wrongName, wrongType, noResponse, noQuestion, query[..11], [], Packets.Answer(query, "192.0.2.1")];
        });
        using ServerFixture fixture = new(upstream);

        Assert.Equal(["192.0.2.1"], fixture.Ask(Packets.Query("a.example", Packets.A)).Addresses);
        Assert.Single(upstream.Queries);
    }

    [Fact]
    public void Ask_ServerChangesTheCaseOfTheName_ItsAnswerCounts()
    {
        using FakeUpstream upstream = new(query =>
        {
            byte[] answer = Packets.Answer(query, "192.0.2.1");
            answer[13] = (byte)'a';
            return [answer];
        });
        using ServerFixture fixture = new(upstream);

        Assert.Equal("a.example.", fixture.Ask(Packets.Query("A.example", Packets.A)).Question);
    }

    [Fact]
    public void Ask_TruncatedAnswer_PassedAsItIs()
    {
        using FakeUpstream upstream = new(query =>
        {
            byte[] answer = Packets.Answer(query, "192.0.2.1");
            answer[2] |= 2;
            return [answer];
        });
        using ServerFixture fixture = new(upstream);

        Assert.True(fixture.Ask(Packets.Query("a.example", Packets.A)).IsTruncated);
    }

    [Fact]
    public void Ask_MoreThanTheBoundInFlight_ServerFailureAtOnceAndServedAgainLater()
    {
        using FakeUpstream silent = FakeUpstream.Silent();
        using ServerFixture fixture = new(silent);
        fixture.Do(() => fixture.Server.Upstreams = new UpstreamSet(fixture.Server.Upstreams.Servers.ToArray()) { Timeout = TimeSpan.FromSeconds(2), Attempts = 1 });
        using Socket udp = fixture.Udp();
        int sent = DnsForwarder.MaxInFlight + 20;
        for (int i = 0; i < sent; i++)
        {
            udp.Send(Packets.Query("a.example", Packets.A, id: (ushort)i));
            // The socket's buffer holds some 270 datagrams.
            _ = i % 32 == 0 ? fixture.Do(() => 0) : 0;
        }

        HashSet<int> ids = [];
        for (int i = 0; i < sent; i++)
        {
            Reply reply = ServerFixture.Receive(udp);
            Assert.Equal(2, reply.Code);
            Assert.Equal(i < 20, reply.Id >= DnsForwarder.MaxInFlight);
            ids.Add(reply.Id);
        }

        Assert.Equal(sent, ids.Count);
        Assert.Equal(0, fixture.Do(() => fixture.Server.InFlight));
        Assert.Equal(["10.0.0.2"], fixture.Ask(Packets.Query("web", Packets.A)).Addresses);
    }

    [Fact]
    public void Ask_NetworksChangeMeanwhile_NoFurtherAttempt()
    {
        using FakeUpstream silent = FakeUpstream.Silent();
        using ServerFixture fixture = new(silent);
        using Socket udp = fixture.Udp();
        udp.Send(Packets.Query("a.example", Packets.A));
        SpinWait.SpinUntil(() => !silent.Queries.IsEmpty, 5000);

        fixture.Do(() => fixture.Server.Upstreams = UpstreamSet.None);

        Assert.Equal(2, ServerFixture.Receive(udp).Code);
        Assert.Single(silent.Queries);
    }

    [Fact]
    public void Ask_ConnectorThrows_ServerFailure()
    {
        using EventLoop loop = new();
        using FakeUpstream upstream = FakeUpstream.Silent();
        UpstreamSet set = ServerFixture.Set([upstream]);
        DnsForwarder forwarder = new(loop, (Upstream _, bool _, out Errno _) => throw new SyscallException("setns", null, Errno.EINVAL)) { Upstreams = set };
        KeptAnswer client = new();

        Assert.True(forwarder.TryForward(Packets.Query("a.example", Packets.A), stream: false, client, default));

        Assert.Equal(2, client.Reply!.Code);
        Assert.Equal(0, forwarder.InFlight);
    }

    [Fact]
    public void Ask_GarbageAndLongDatagrams_DoNoHarm()
    {
        using ServerFixture fixture = new();
        using Socket udp = fixture.Udp();
        udp.Send(Array.Empty<byte>());
        udp.Send([1, 2, 3]);
        udp.Send(new byte[DnsServer.MaxQuery + 1]);
        udp.Send(new byte[60000]);
        udp.Send(Packets.Query("web", Packets.A, id: 5));

        Assert.Equal(5, ServerFixture.Receive(udp).Id);
    }

    private sealed class KeptAnswer : IDnsClient
    {
        public Reply? Reply { get; private set; }

        public void Take(in SocketEndpoint from, ReadOnlySpan<byte> message) => Reply = new Reply(message);
    }
}
