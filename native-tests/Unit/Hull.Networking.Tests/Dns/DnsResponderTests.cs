using Hull.Linux;
using Hull.Networking.Dns;

namespace Hull.Networking.Tests.Dns;

public sealed class DnsResponderTests
{
    private readonly FixedNames _names = new()
    {
        Names = { ["web"] = ["10.0.0.2", "fd00::2"], ["db"] = ["10.0.0.3"], ["six"] = ["fd00::6"], ["bare"] = [], ["web.front"] = ["10.0.0.2"] },
        Addresses = { ["10.0.0.2"] = "web.front", ["fd00::2"] = "web.front" },
    };

    private readonly DnsResponder _responder;

    public DnsResponderTests() => _responder = new DnsResponder(_names);

    [Fact]
    public void Answer_AddressOfAName_IsTheseBytes()
    {
        byte[] query = Convert.FromHexString("1234" + "0100" + "0001000000000000" + "03576542" + "00" + "0001" + "0001");

        byte[] reply = Answer(query)!.Bytes;

        Assert.Equal(
            "1234" + "8580" + "0001" + "0001" + "0000" + "0000"
            // The name as it was asked, WeB, and a pointer to it.
            + "03576542" + "00" + "0001" + "0001" + "C00C" + "0001" + "0001" + "00000000" + "0004" + "0A000002",
            Convert.ToHexString(reply));
    }

    [Fact]
    public void Answer_NoAddressOfTheTypeWithEdns_IsTheseBytes()
    {
        byte[] query = Convert.FromHexString(
            "ABCD" + "0120" + "0001000000000001" + "02646200" + "001C" + "0001" + "00" + "0029" + "04D0" + "00" + "00" + "8000" + "0000");

        Assert.Equal(
            "ABCD" + "8580" + "0001" + "0000" + "0001" + "0001" + "02646200" + "001C" + "0001"
            + "00" + "0006" + "0001" + "00000000" + "0016" + "0000" + new string('0', 40)
            + "00" + "0029" + "1000" + "00" + "00" + "8000" + "0000",
            Convert.ToHexString(Answer(query)!.Bytes));
    }

    [Theory]
    [InlineData("web", Packets.A, "10.0.0.2")]
    [InlineData("web", Packets.Aaaa, "fd00::2")]
    [InlineData("WEB.front", Packets.A, "10.0.0.2")]
    [InlineData("web", 255, "10.0.0.2")]
    [InlineData("six", 255, "fd00::6")]
    public void Answer_KnownName_ItsAddresses(string name, int type, string address)
    {
        Reply reply = Answer(Packets.Query(name, type))!;

        Assert.Equal((0, true), (reply.Code, reply.IsAuthoritative));
        Assert.Equal([address], reply.Addresses);
        Assert.Equal((name + ".", name + "."), (reply.Question, reply.Records[0].Owner));
    }

    [Theory]
    [InlineData("db", Packets.Aaaa)]
    [InlineData("db", Packets.Text)]
    [InlineData("db", 65)]
    [InlineData("six", Packets.A)]
    [InlineData("bare", Packets.A)]
    [InlineData("bare", 255)]
    [InlineData("2.0.0.10.in-addr.arpa", Packets.A)]
    public void Answer_KnownNameWithoutThatType_EmptyAndNeverForwarded(string name, int type)
    {
        Reply reply = Answer(Packets.Query(name, type))!;

        Assert.Equal((0, 0, 1, true), (reply.Code, reply.AnswerCount, reply.AuthorityCount, reply.IsAuthoritative));
        Assert.Equal((6, 0u), (reply.Records[0].Type, reply.Records[0].TimeToLive));
    }

    [Theory]
    [InlineData("2.0.0.10.IN-ADDR.ARPA")]
    [InlineData("2.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.d.f.ip6.arpa")]
    public void Answer_ReverseOfAContainer_ItsName(string name)
    {
        Reply reply = Answer(Packets.Query(name, Packets.Ptr))!;

        Assert.Equal(Packets.Name("web.front"), Assert.Single(reply.Answers).Data);
    }

    [Theory]
    [InlineData("elsewhere", Packets.A)]
    [InlineData("example.org", Packets.A)]
    [InlineData("", Packets.A)]
    [InlineData("we b", Packets.A)]
    [InlineData("..", Packets.A)]
    [InlineData("a/b", Packets.A)]
    [InlineData("3.0.0.10.in-addr.arpa", Packets.Ptr)]
    [InlineData("02.0.0.10.in-addr.arpa", Packets.Ptr)]
    [InlineData("1.2.0.0.10.in-addr.arpa", Packets.Ptr)]
    [InlineData("256.0.0.10.in-addr.arpa", Packets.Ptr)]
    [InlineData("0.0.10.in-addr.arpa", Packets.Ptr)]
    [InlineData("0.0.d.f.ip6.arpa", Packets.Ptr)]
    public void Answer_UnknownName_IsForOthers(string name, int type) => Assert.Null(Answer(Packets.Query(name, type)));

    [Fact]
    public void Answer_DotInsideALabel_IsNotTheDotBetweenTwo()
    {
        byte[] query = Packets.Query("web_front", Packets.A);
        query[Array.IndexOf(query, (byte)'_')] = (byte)'.';

        Assert.Null(Answer(query));
    }

    [Fact]
    public void Answer_SeveralEndpoints_EachIsFirstInTurnWhateverIsAskedBetween()
    {
        _names.Names["many"] = ["10.0.0.1", "10.0.0.2", "10.0.0.3", "fd00::1", "fd00::2"];
        List<string> first = [];
        for (int i = 0; i < 6; i++)
        {
            Reply reply = Answer(Packets.Query("many", Packets.A))!;
            Assert.Equal(["10.0.0.1", "10.0.0.2", "10.0.0.3"], reply.Addresses.Order());
            first.Add(reply.Addresses[0]);
            first.Add(Answer(Packets.Query("many", Packets.Aaaa))!.Addresses[0]);
        }

        Assert.Equal(["10.0.0.1", "fd00::1", "10.0.0.2", "fd00::2", "10.0.0.3", "fd00::1", "10.0.0.1", "fd00::2"], first.Take(8));
    }

    [Theory]
    [InlineData(0, 512, 30)]
    [InlineData(100, 512, 29)]
    [InlineData(1232, 1232, 74)]
    [InlineData(65535, 4096, 200)]
    public void Answer_MoreThanTheClientTakes_TruncatedAndWithinItsSize(int datagram, int limit, int expected)
    {
        _names.Names["many"] = [.. Enumerable.Range(0, 200).Select(i => $"10.1.{i / 100}.{i % 100}")];

        Reply reply = Answer(Packets.Query("many", Packets.A, datagram))!;

        Assert.Equal((expected < 200, expected), (reply.IsTruncated, reply.AnswerCount));
        Assert.True(reply.Bytes.Length <= limit);
        Assert.Equal(datagram > 0, reply.Opt is not null);
        Assert.Equal(200, Answer(Packets.Query("many", Packets.A, datagram), isDatagram: false)!.AnswerCount);
    }

    [Fact]
    public void Answer_NamesUnreadable_ServerFailure()
    {
        _names.Failure = Errno.EMFILE;

        Assert.Equal(2, Answer(Packets.Query("web", Packets.A))!.Code);
    }

    [Theory]
    [InlineData(2, 0x28, 4, "update")]
    [InlineData(2, 0x10, 4, "status")]
    [InlineData(2, 0x03, 1, "truncated query")]
    [InlineData(5, 0, 1, "no question")]
    [InlineData(5, 2, 1, "two questions")]
    [InlineData(7, 1, 1, "an answer that is not there")]
    [InlineData(12, 0xC0, 1, "a pointer as name")]
    [InlineData(12, 0x43, 1, "an extended label")]
    [InlineData(12, 63, 1, "a label beyond the end")]
    [InlineData(20, 3, 5, "class chaos")]
    [InlineData(18, 252, 5, "a transfer")]
    public void Answer_ByteChanged_RefusedWithItsCode(int at, byte value, int code, string what)
    {
        byte[] query = Packets.Query("web", Packets.A);
        query[at] = value;

        Reply reply = Answer(query)!;

        Assert.True(code == reply.Code, what);
        Assert.Equal((0x1234, 0), (reply.Id, reply.AnswerCount));
        Assert.NotEqual(0, reply.Flags & 0x8000);
    }

    [Fact]
    public void Answer_LaterEdnsVersion_BadVersionWithOurs()
    {
        Reply reply = Answer(Packets.Query("web", Packets.A, 1232, version: 1))!;

        // BADVERS is 16: 0 in the header, 1 above it in the OPT.
        Assert.Equal((0, 0), (reply.Code, reply.AnswerCount));
        Assert.Equal(0x01000000u, reply.Opt!.TimeToLive);
    }

    [Fact]
    public void Answer_TwoOpts_FormatError()
    {
        byte[] query = Packets.Query("web", Packets.A, 1232);
        query[11] = 2;

        Assert.Equal(1, Answer([.. query, .. query.AsSpan(query.Length - 11)])!.Code);
    }

    [Fact]
    public void Answer_NameOf255Bytes_IsRead_256_Not()
    {
        string longest = string.Join('.', Enumerable.Repeat(new string('a', 49), 5)) + ".aaa";
        _names.Names[longest] = ["10.0.0.9"];

        Assert.Equal(253, longest.Length);
        Assert.Equal(["10.0.0.9"], Answer(Packets.Query(longest, Packets.A, 512))!.Addresses);
        Assert.Equal(1, Answer(Packets.Query(longest + "a", Packets.A))!.Code);
    }

    [Fact]
    public void Answer_NoQuery_NoAnswer()
    {
        byte[] response = Packets.Query("web", Packets.A);
        response[2] |= 0x80;

        Assert.Equal(DnsOutcome.Dropped, _responder.Answer(response, true, new byte[512], out _));
        Assert.Equal(DnsOutcome.Dropped, _responder.Answer(response.AsSpan(0, 11), true, new byte[512], out _));
        Assert.Equal(DnsOutcome.Dropped, _responder.Answer([], true, new byte[512], out _));
    }

    [Fact]
    public void Answer_100000HostileMessages_NeitherThrowsNorGoesBeyondItsBuffer()
    {
        Random random = new(4711);
        byte[] buffer = new byte[4096 + 16];
        byte[][] seeds =
        [
            Packets.Query("web", Packets.A), Packets.Query("web.front", Packets.Aaaa, 1232, dnssec: true), Packets.Query("example.org", 65, 4096),
            Packets.Query("2.0.0.10.in-addr.arpa", Packets.Ptr), Packets.Answer(Packets.Query("web", Packets.A), "10.0.0.1"),
        ];
        int[] outcomes = new int[3];
        for (int i = 0; i < 100_000; i++)
        {
            byte[] message = (i & 3) == 0 ? new byte[random.Next(600)] : [.. seeds[random.Next(seeds.Length)], .. new byte[random.Next(4) == 0 ? random.Next(40) : 0]];
            if ((i & 3) == 0)
            {
                random.NextBytes(message);
            }

            for (int changes = random.Next(6); changes > 0 && message.Length > 0; changes--)
            {
                message[random.Next(message.Length)] = random.Next(3) switch { 0 => 0xC0, 1 => 0, _ => (byte)random.Next(256) };
            }

            DnsOutcome outcome = _responder.Answer(message, isDatagram: true, buffer.AsSpan(0, 4096), out int length);
            outcomes[(int)outcome]++;
            if (outcome == DnsOutcome.Answered)
            {
                Assert.Equal(message.AsSpan(0, 2), new Reply(buffer.AsSpan(0, length)).Bytes.AsSpan(0, 2));
            }
        }

        Assert.Equal(new byte[16], buffer[4096..]);
        Assert.All(outcomes, count => Assert.True(count > 1000));
    }

    /// <returns>Null where the name is for others.</returns>
    private Reply? Answer(byte[] query, bool isDatagram = true)
    {
        byte[] answer = new byte[isDatagram ? 4096 : 65535];
        DnsOutcome outcome = _responder.Answer(query, isDatagram, answer, out int length);
        Assert.NotEqual(DnsOutcome.Dropped, outcome);
        return outcome == DnsOutcome.Unknown ? null : new Reply(answer.AsSpan(0, length));
    }
}
