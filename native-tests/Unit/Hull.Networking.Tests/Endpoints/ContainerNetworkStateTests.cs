using System.Net;
using Hull.Networking.Endpoints;
using Hull.Networking.Ports;

namespace Hull.Networking.Tests.Endpoints;

public sealed class ContainerNetworkStateTests
{
    [Fact]
    public void Write_EveryMember_ComesBack()
    {
        ContainerNetworkState state = new()
        {
            Pid = 4711,
            Endpoints =
            [
                new Endpoint
                {
                    Id = "e",
                    Network = "n",
                    NetworkName = "net",
                    Interface = "eth0",
                    HostLink = "veth1",
                    MacAddress = "02:42:0a:00:00:02",
                    IPv4 = IPAddress.Parse("10.0.0.2"),
                    PrefixLength4 = 24,
                    Gateway4 = IPAddress.Parse("10.0.0.1"),
                    IPv6 = IPAddress.Parse("fd00::2"),
                    PrefixLength6 = 64,
                    Gateway6 = IPAddress.Parse("fd00::1"),
                    GatewayPriority = -3,
                    Names = ["web", "alias"],
                    Links = [new EndpointLink("0123456789ab", "db")],
                },
            ],
            Ports = [new PublishedPort("udp", 53, IPAddress.IPv6Any, 5353)],
        };

        ContainerNetworkState read = ContainerNetworkState.Read(state.Write().Span);
        Assert.Equal(state.Write().ToArray(), read.Write().ToArray());
        Assert.Equal((state.Pid, state.Ports[0]), (read.Pid, read.Ports[0]));
        Assert.Equal(state.Endpoints[0] with { Names = [], Links = [] }, read.Endpoints[0] with { Names = [], Links = [] });
        Assert.Equal("[::]:5353", state.Ports[0].Host);
    }
}
