using System.Net.Sockets;
using Hull.Networking.Dns;

namespace Hull.Networking.Tests.Dns;

[Collection(Alone.Name)]
public sealed class DnsStreamTests
{
    [Fact]
    public void Stream_QueryInPieces_Answered()
    {
        using ServerFixture fixture = new();
        using Socket tcp = fixture.Tcp();
        foreach (byte piece in ServerFixture.Framed(Packets.Query("web", Packets.A)))
        {
            tcp.Send([piece]);
        }

        Assert.Equal(["10.0.0.2"], ServerFixture.ReceiveFramed(tcp).Addresses);
    }

    [Fact]
    public void Stream_ManyQueriesAtOnceThenNoMore_AllAnswered()
    {
        using FakeUpstream upstream = FakeUpstream.Answering("192.0.2.1");
        using ServerFixture fixture = new(upstream);
        using Socket tcp = fixture.Tcp();
        const int Count = 400;
        List<byte> all = [];
        for (int i = 0; i < Count; i++)
        {
            all.AddRange(ServerFixture.Framed(Packets.Query(i % 10 == 0 ? "a.example" : "web", Packets.A, id: (ushort)i)));
        }

        tcp.Send(all.ToArray());
        tcp.Shutdown(SocketShutdown.Send);
        Dictionary<int, string> answers = [];
        for (int i = 0; i < Count; i++)
        {
            Reply reply = ServerFixture.ReceiveFramed(tcp);
            answers.Add(reply.Id, reply.Addresses.Single());
        }

        Assert.All(answers, one => Assert.Equal(one.Key % 10 == 0 ? "192.0.2.1" : "10.0.0.2", one.Value));
        Assert.Equal(0, tcp.Receive(new byte[1]));
        Assert.Equal(Count / 10, upstream.Queries.Count);
    }

    [Fact]
    public void Stream_ClientTakesNoAnswers_IsReadNoFurtherAndGetsThemAllLater()
    {
        FixedNames names = new() { Names = { ["many"] = [.. Enumerable.Range(0, 2000).Select(i => $"10.1.{i / 250}.{i % 250}")] } };
        using ServerFixture fixture = new(names);
        using Socket tcp = fixture.Tcp();
        byte[] query = ServerFixture.Framed(Packets.Query("many", Packets.A));
        const int Count = 1000;
        Thread writer = new(() =>
        {
            for (int i = 0; i < Count; i++)
            {
                tcp.Send(query);
            }
        });
        writer.Start();
        // Answers of 32 MB do not fit the kernel's buffers.
        Thread.Sleep(200);
        long memory = fixture.Do(() => GC.GetTotalMemory(forceFullCollection: true));

        for (int i = 0; i < Count; i++)
        {
            Assert.Equal(2000, ServerFixture.ReceiveFramed(tcp).AnswerCount);
        }

        writer.Join();
        Assert.True(memory < 16 << 20, $"{memory} bytes");
    }

    [Theory]
    [InlineData(new byte[] { 0xFF, 0xFF, 1 })]
    [InlineData(new byte[] { 0, 0 })]
    [InlineData(new byte[] { 0, 3, 1, 2, 3 })]
    [InlineData(new byte[] { 0, 12, 1, 2, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0 })]
    public void Stream_WhatIsNoQuery_EndsTheConversationOnly(byte[] bytes)
    {
        using ServerFixture fixture = new();
        using Socket tcp = fixture.Tcp();

        tcp.Send(bytes);

        Assert.Equal(0, tcp.Receive(new byte[1]));
        Assert.Equal(["10.0.0.2"], fixture.Ask(Packets.Query("web", Packets.A)).Addresses);
    }

    [Fact]
    public void Stream_MoreClientsThanTheBound_WaitUntilOneLeaves()
    {
        using ServerFixture fixture = new();
        Socket[] clients = [.. Enumerable.Range(0, DnsStreams.MaxClients + 1).Select(_ => fixture.Tcp())];
        foreach (Socket client in clients)
        {
            client.Send(ServerFixture.Framed(Packets.Query("web", Packets.A)));
        }

        for (int i = 0; i < DnsStreams.MaxClients; i++)
        {
            Assert.Equal(["10.0.0.2"], ServerFixture.ReceiveFramed(clients[i]).Addresses);
        }

        Assert.Equal(DnsStreams.MaxClients, fixture.Do(() => fixture.Server.Streams.Count));
        Assert.False(clients[^1].Poll(200_000, SelectMode.SelectRead));

        clients[0].Dispose();
        Assert.Equal(["10.0.0.2"], ServerFixture.ReceiveFramed(clients[^1]).Addresses);
        foreach (Socket client in clients)
        {
            client.Dispose();
        }

        Assert.True(SpinWait.SpinUntil(() => fixture.Do(() => fixture.Server.Streams.Count) == 0, 5000));
    }

    [Fact]
    public void Stream_ClientLeavesBeforeItsAnswer_NothingIsLeft()
    {
        using FakeUpstream silent = FakeUpstream.Silent();
        using ServerFixture fixture = new(silent);
        using (Socket tcp = fixture.Tcp())
        {
            tcp.Send(ServerFixture.Framed(Packets.Query("a.example", Packets.A)));
            Assert.True(SpinWait.SpinUntil(() => fixture.Do(() => fixture.Server.InFlight) == 1, 5000));
            tcp.LingerState = new LingerOption(true, 0);
        }

        Assert.True(SpinWait.SpinUntil(() => fixture.Do(() => fixture.Server.Streams.Count + fixture.Server.InFlight) == 0, 5000));
    }

    [Fact]
    public void Stream_ClientSaysNothing_IsLetGo()
    {
        using FakeUpstream silent = FakeUpstream.Silent();
        using ServerFixture fixture = new(silent);
        Assert.Equal(10_000, fixture.Do(() => fixture.Server.Streams.IdleTime));
        fixture.Do(() => fixture.Server.Streams.IdleTime = 100);
        fixture.Do(() => fixture.Server.Upstreams = new UpstreamSet(fixture.Server.Upstreams.Servers.ToArray()) { Timeout = TimeSpan.FromMilliseconds(700) });
        using Socket waiting = fixture.Tcp();
        waiting.Send(ServerFixture.Framed(Packets.Query("a.example", Packets.A)));
        using Socket idle = fixture.Tcp();
        idle.Send([0]);

        Assert.Equal(0, idle.Receive(new byte[1]));

        // Who waits for this server's word is not idle.
        Assert.Equal(2, ServerFixture.ReceiveFramed(waiting).Code);
    }
}
