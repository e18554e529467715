using System.Net;
using Hull.Linux;
using Hull.Networking.Dns;

namespace Hull.Networking.Tests.Dns;

public sealed class ResolvConfTests
{
    [Fact]
    public void Parse_FullFile_ReadAsGlibcDoes()
    {
        ResolvConf conf = ResolvConf.Parse(
            "# made by hand\n; so was this\nnameserver 192.0.2.1\nnameserver\tfe80::1%lo \n  nameserver 192.0.2.9\nnameserver\ndomain first.example\n"
            + "search a.example b.example\r\noptions ndots:2 rotate\noptions timeout:3\nsortlist 10.0.0.0\nnameservers 192.0.2.8\n");

        Assert.Equal(["192.0.2.1", "fe80::1%lo"], conf.NameServers);
        Assert.Equal(["a.example", "b.example"], conf.Search);
        Assert.Equal(["ndots:2", "rotate", "timeout:3"], conf.Options);
        Assert.Equal((2, 3, null), (conf.Option("ndots"), conf.Option("timeout"), conf.Option("attempts")));
    }

    [Theory]
    [InlineData("search a.example\ndomain b.example\n", "b.example")]
    [InlineData("domain b.example\nsearch a.example c.example", "a.example c.example")]
    [InlineData("", "")]
    public void Parse_SearchAndDomain_TheLastCounts(string text, string search) =>
        Assert.Equal(search, string.Join(' ', ResolvConf.Parse(text).Search));

    [Theory]
    [InlineData("options timeout:x", null)]
    [InlineData("options timeout:", null)]
    [InlineData("options timeout", null)]
    [InlineData("options timeout:-1", null)]
    [InlineData("options timeout:99999999999", null)]
    [InlineData("options timeouts:4", null)]
    [InlineData("options timeout:1 timeout:4", 4)]
    public void Option_Number_OrNothing(string text, int? value) => Assert.Equal(value, ResolvConf.Parse(text).Option("timeout"));

    [Fact]
    public void UpstreamSet_From_ServersWithZoneAndBoundedPatience()
    {
        UpstreamSet set = UpstreamSet.From(ResolvConf.Parse("nameserver 127.0.0.53\nnameserver fe80::1%lo\nnameserver nonsense\noptions timeout:30 attempts:0 rotate"), fromContainer: false);

        Assert.Equal(
            [new Upstream(new SocketEndpoint(IPAddress.Parse("127.0.0.53"), 53), false), new Upstream(new SocketEndpoint(IPAddress.Parse("fe80::1%1"), 53), false)],
            set.Servers);
        Assert.Equal((TimeSpan.FromSeconds(5), 1, true), (set.Timeout, set.Attempts, set.Rotate));
    }

    [Fact]
    public void UpstreamSet_NoOptions_TwoSecondsTwice()
    {
        UpstreamSet set = UpstreamSet.From(ResolvConf.Parse("nameserver 192.0.2.1"), fromContainer: true);

        Assert.Equal((TimeSpan.FromSeconds(2), 2, false, true), (set.Timeout, set.Attempts, set.Rotate, set.Servers[0].FromContainer));
    }

    [Fact]
    public void UpstreamSet_ManyServers_EightAreUsed()
    {
        string text = string.Concat(Enumerable.Range(1, 20).Select(i => $"nameserver 192.0.2.{i}\n"));

        Assert.Equal(8, UpstreamSet.From(ResolvConf.Parse(text), fromContainer: false).Servers.Count);
    }

    [Fact]
    public void Choose_FailedServers_AreAskedLast()
    {
        UpstreamSet set = UpstreamSet.From(ResolvConf.Parse("nameserver 192.0.2.1\nnameserver 192.0.2.2\nnameserver 192.0.2.3"), fromContainer: false);
        set.Failed(0);
        Assert.Equal((1, 2, 0, -1), (set.Choose(0, 0), set.Choose(0, 2), set.Choose(0, 6), set.Choose(0, 7)));

        set.Failed(1);
        set.Failed(2);
        Assert.Equal((0, 1), (set.Choose(0, 0), set.Choose(0, 1)));

        set.Answered(2);
        Assert.Equal(2, set.Choose(0, 0));
    }
}
