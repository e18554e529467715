using System.Net;
using Hull.Networking.Endpoints;
using Hull.Networking.Host;
using Hull.Networking.Records;

namespace Hull.Networking.Tests;

public sealed class PlacementTests
{
    [Fact]
    public void FreeInterface_TenAndNone_IsTheLowestThatIsFree()
    {
        NetworkConfig network = Network("net");

        Assert.Equal("eth0", Placement.FreeInterface(network, []));
        // A name that ends in 0 is not number 0.
        Assert.Equal("eth0", Placement.FreeInterface(network, [At("eth10")]));
        Assert.Equal("eth2", Placement.FreeInterface(network, [At("eth0"), At("eth1"), At("eth10"), At("lan2")]));
        Assert.Equal("lan0", Placement.FreeInterface(network with { Options = new Dictionary<string, string> { [NetworkOptions.InterfacePrefix] = "lan" } }, [At("eth0")]));
    }

    [Fact]
    public void WayOut_HighestPriorityThenTheFirst_NotOfInternalNetworks()
    {
        Placement first = new(Network("first"), At("eth0"));
        Placement second = new(Network("second"), At("eth1"));
        Placement high = new(Network("high"), At("eth2") with { GatewayPriority = 1 });
        Placement closed = new(Network("closed") with { Internal = true }, At("eth3") with { GatewayPriority = 9 });

        Assert.Equal("eth0", Placement.WayOut([first, second, closed], ipv6: false)?.Interface);
        Assert.Equal("eth2", Placement.WayOut([first, second, high, closed], ipv6: false)?.Interface);
        Assert.Null(Placement.WayOut([closed], ipv6: false));
        Assert.Null(Placement.WayOut([first], ipv6: true));
    }

    private static NetworkConfig Network(string name) => new() { Id = name, Name = name, Driver = NetworkDrivers.Bridge, Created = DateTimeOffset.UnixEpoch };

    private static Endpoint At(string link) => new()
    {
        Id = link,
        Network = "net",
        NetworkName = "net",
        Interface = link,
        IPv4 = IPAddress.Parse("10.0.0.2"),
        Gateway4 = IPAddress.Parse("10.0.0.1"),
    };
}
