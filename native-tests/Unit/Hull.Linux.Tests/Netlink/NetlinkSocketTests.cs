using Hull.Linux.Netlink;

namespace Hull.Linux.Tests.Netlink;

/// <summary>A socket against the kernel of the machine; reading takes no root.</summary>
public sealed class NetlinkSocketTests
{
    [Fact]
    public void Links_Loopback_IsThereWithIndexOne()
    {
        using Rtnetlink links = Rtnetlink.Open();

        Link loopback = links.GetLink("lo");

        Assert.Equal((1, "lo", LinkFlags.Loopback), (loopback.Index, loopback.Name, loopback.Flags & LinkFlags.Loopback));
        Assert.Equal(loopback, links.FindLink(1));
        Assert.Contains(loopback, links.Links());
    }

    [Fact]
    public void FindLink_None_IsNull()
    {
        using Rtnetlink links = Rtnetlink.Open();

        Assert.Null(links.FindLink("no-such-link"));
        Assert.Null(links.FindLink(int.MaxValue));
        Assert.Equal("RTM_GETLINK no-such-link: ENODEV (No such device)", Assert.Throws<SyscallException>(() => links.GetLink("no-such-link")).Message);
    }

    [Fact]
    public void Execute_UnknownMessage_NamesOperationAndTarget()
    {
        using NetlinkSocket socket = NetlinkSocket.Open(NetlinkProtocol.Route);
        using NetlinkWriter request = new();
        request.Message(RouteMessage.GetLink, NetlinkFlags.Request | NetlinkFlags.Dump, [1, 2, 3]);

        SyscallException error = Assert.Throws<SyscallException>(() => socket.Dump<Link>(request, Link.Parse, "RTM_GETLINK", "all links"));

        Assert.Equal("RTM_GETLINK all links (Invalid header for link dump): EINVAL (Invalid argument)", error.Message);
    }

    [Theory]
    [InlineData("eth0", true)]
    [InlineData("fifteen-letters", true)]
    [InlineData("sixteen-letters-", false)]
    [InlineData("", false)]
    [InlineData("..", false)]
    [InlineData("a/b", false)]
    [InlineData("a b", false)]
    [InlineData("a:b", false)]
    public void IsName_AsTheKernel(string name, bool valid) => Assert.Equal(valid, Rtnetlink.IsName(name));

    [Fact]
    public void Open_NotANamespace_NamesTheFile()
    {
        using NetworkNamespace file = NetworkNamespace.Open("/proc/self/ns/mnt");

        SyscallException error = Assert.Throws<SyscallException>(() => NetlinkSocket.Open(NetlinkProtocol.Route, file));

        Assert.StartsWith("setns /proc/self/ns/mnt: EINVAL", error.Message, StringComparison.Ordinal);
        Assert.Throws<SyscallException>(() => NetworkNamespace.OfProcess(int.MaxValue));
    }
}
