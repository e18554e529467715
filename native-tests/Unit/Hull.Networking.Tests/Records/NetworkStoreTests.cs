using Hull.Networking.Addresses;
using Hull.Networking.Records;

namespace Hull.Networking.Tests.Records;

public sealed class NetworkStoreTests : IDisposable
{
    private readonly string _root = Directory.CreateTempSubdirectory("hull-networks").FullName;
    private readonly List<UsedSubnet> _routes = [];

    public void Dispose() => Directory.Delete(_root, recursive: true);

    [Fact]
    public void Create_EveryMember_ComesBackFromDisk()
    {
        NetworkConfig made = Store().Create(new NetworkRequest
        {
            Name = "all",
            Subnets = ["10.5.0.0/16", "fd05::/64"],
            Ranges = ["10.5.1.0/24"],
            Gateways = ["10.5.0.9", "fd05::9"],
            Auxiliary = new Dictionary<string, string> { ["router"] = "10.5.0.8" },
            Internal = true,
            Attachable = true,
            EnableIPv6 = true,
            Options = new Dictionary<string, string> { [NetworkOptions.Mtu] = "1400" },
            Labels = new Dictionary<string, string> { ["a"] = "b" },
        });

        NetworkConfig read = Store().Find("all");
        Assert.Equal(NetworkConfigCodec.Write(made).ToArray(), NetworkConfigCodec.Write(read).ToArray());
        Assert.Equal((true, true, true, "b", "1400"), (read.Internal, read.Attachable, read.EnableIPv6, read.Labels!["a"], read.Option(NetworkOptions.Mtu)));
        Assert.Equal(("10.5.0.9", "fd05::9", "10.5.1.0/24"), (read.IPv4!.Gateway!.ToString(), read.IPv6!.Gateway!.ToString(), read.IPv4.Range.ToString()));
        Assert.Equal("br-" + made.Id[..12], read.BridgeName);
        Assert.Equal(made.Id, Store().Find(made.Id[..5]).Id);
    }

    [Fact]
    public void Create_WithoutASubnet_AvoidsNetworksAndRoutes()
    {
        _routes.Add(new UsedSubnet(Subnet.Parse("172.17.4.0/24"), null, "tun0"));
        NetworkStore store = Store();

        Assert.Equal("172.18.0.0/16", store.Default().IPv4!.Subnet.ToString());
        Assert.Equal("172.19.0.0/16", store.Create(new NetworkRequest { Name = "one" }).IPv4!.Subnet.ToString());
        NetworkException error = Assert.Throws<NetworkException>(() => store.Create(new NetworkRequest { Name = "two", Subnets = ["172.19.128.0/17"] }));
        Assert.Equal(NetworkError.Conflict, error.Kind);
        Assert.Contains("172.19.0.0/16 of network one", error.Message, StringComparison.Ordinal);
        error = Assert.Throws<NetworkException>(() => store.Create(new NetworkRequest { Name = "two", Subnets = ["172.17.0.0/16"] }));
        Assert.Contains("the host's route 172.17.4.0/24 through tun0", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Create_WhenEveryPoolIsInUse_SaysSo()
    {
        _routes.Add(new UsedSubnet(Subnet.Parse("172.16.0.0/12"), null, "vpn"));
        _routes.Add(new UsedSubnet(Subnet.Parse("192.168.0.0/16"), null, "vpn"));

        NetworkException error = Assert.Throws<NetworkException>(() => Store().Create(new NetworkRequest { Name = "one" }));

        Assert.Equal(NetworkError.Host, error.Kind);
        Assert.Contains("name a --subnet", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Create_ManyAtOnce_NeverShareASubnet()
    {
        NetworkConfig[] made = new NetworkConfig[20];

        Parallel.For(0, made.Length, i => made[i] = Store().Create(new NetworkRequest { Name = $"n{i}", EnableIPv6 = true }));

        Assert.Equal(made.Length, made.Select(one => one.IPv4!.Subnet).Distinct().Count());
        Assert.Equal(made.Length, made.Select(one => one.IPv6!.Subnet).Distinct().Count());
    }

    [Fact]
    public void Create_NameThatIsThere_IsAConflict()
    {
        NetworkStore store = Store();
        store.Create(new NetworkRequest { Name = "one" });

        Assert.Contains("network with name one already exists",
            Assert.Throws<NetworkException>(() => store.Create(new NetworkRequest { Name = "one" })).Message, StringComparison.Ordinal);
        Assert.Equal(2, Directory.GetFiles(Path.Combine(_root, "networks"), "*.json").Length + 1);
    }

    [Fact]
    public void Create_AfterOneThatWasKilledHalfWay_TakesItsPlace()
    {
        NetworkStore store = Store();
        NetworkConfig half = store.Create(new NetworkRequest { Name = "half", Subnets = ["10.6.0.0/16"] });
        File.Delete(Path.Combine(_root, "networks/names/half"));
        string temporary = Path.Combine(_root, "networks/new-1-1-half.json");
        File.WriteAllText(temporary, "{\"id\":");

        NetworkConfig made = store.Create(new NetworkRequest { Name = "half", Subnets = ["10.6.0.0/16"] });

        Assert.NotEqual(half.Id, made.Id);
        Assert.False(File.Exists(temporary));
        Assert.Equal(NetworkError.NotFound, Assert.Throws<NetworkException>(() => store.Read(half.Id)).Kind);
    }

    [Fact]
    public void Remove_Network_FreesNameAndSubnet()
    {
        NetworkStore store = Store();
        store.Default();
        NetworkConfig one = store.Create(new NetworkRequest { Name = "one" });

        store.Remove(one);

        Assert.Equal(NetworkError.NotFound, Assert.Throws<NetworkException>(() => store.Find("one")).Kind);
        Assert.Equal(one.IPv4!.Subnet, store.Create(new NetworkRequest { Name = "one" }).IPv4!.Subnet);
    }

    [Theory]
    [InlineData("bridge")]
    [InlineData("host")]
    [InlineData("none")]
    public void Predefined_Networks_StayAsTheyAre(string name)
    {
        NetworkStore store = Store();

        Assert.Contains("predefined", Assert.Throws<NetworkException>(() => store.Create(new NetworkRequest { Name = name })).Message, StringComparison.Ordinal);
        Assert.Contains("cannot be removed", Assert.Throws<NetworkException>(() => store.Remove(store.Find(name))).Message, StringComparison.Ordinal);
        Assert.Contains(store.List(), one => one.Name == name);
    }

    public static readonly TheoryData<NetworkRequest, string> BadRequests = new()
    {
        { new NetworkRequest { Name = "../x" }, "invalid network name" },
        { new NetworkRequest { Name = "" }, "invalid network name" },
        { new NetworkRequest { Name = "n", Driver = "overlay2" }, "could not find network driver" },
        { new NetworkRequest { Name = "n", Driver = "../../bin/sh" }, "could not find network driver" },
        { new NetworkRequest { Name = "n", Driver = "host" }, "only one instance of \"host\"" },
        { new NetworkRequest { Name = "n", Driver = "null" }, "only one instance of \"null\"" },
        { new NetworkRequest { Name = "n", Subnets = ["10.0.0.0/31"] }, "too small" },
        { new NetworkRequest { Name = "n", Subnets = ["10.0.0.0"] }, "invalid subnet" },
        { new NetworkRequest { Name = "n", Subnets = ["10.0.0.0/8", "10.1.0.0/16"] }, "multiple overlapping" },
        { new NetworkRequest { Name = "n", Subnets = ["10.0.0.0/8", "11.0.0.0/8"] }, "one subnet of each family" },
        { new NetworkRequest { Name = "n", Subnets = ["10.0.0.0/8"], Gateways = ["11.0.0.1"] }, "no matching subnet for gateway" },
        { new NetworkRequest { Name = "n", Gateways = ["11.0.0.1"] }, "needs a --subnet" },
        { new NetworkRequest { Name = "n", Subnets = ["10.0.0.0/24"], Gateways = ["10.0.0.255"] }, "broadcast" },
        { new NetworkRequest { Name = "n", Subnets = ["10.0.0.0/24"], Gateways = ["10.0.0.0"] }, "subnet's own address" },
        { new NetworkRequest { Name = "n", Subnets = ["10.0.0.0/24"], Ranges = ["10.0.1.0/25"] }, "no matching subnet for ip-range" },
        { new NetworkRequest { Name = "n", Subnets = ["fd00::/64"], EnableIPv6 = false }, "needs --ipv6" },
        { new NetworkRequest { Name = "n", EnableIPv4 = false, EnableIPv6 = false }, "IPv4 or IPv6" },
        { new NetworkRequest { Name = "n", Options = new Dictionary<string, string> { [NetworkOptions.BridgeName] = "a/b" } }, "invalid bridge name" },
        { new NetworkRequest { Name = "n", Options = new Dictionary<string, string> { [NetworkOptions.BridgeName] = "sixteen-letters!" } }, "invalid bridge name" },
        { new NetworkRequest { Name = "n", Options = new Dictionary<string, string> { [NetworkOptions.Mtu] = "12" } }, "invalid MTU" },
        { new NetworkRequest { Name = "n", Options = new Dictionary<string, string> { [NetworkOptions.Masquerade] = "maybe" } }, "expected true or false" },
    };

    [Theory]
    [MemberData(nameof(BadRequests))]
    public void Create_BadRequest_SaysWhatIsWrongAndMakesNothing(NetworkRequest request, string words)
    {
        NetworkException error = Assert.Throws<NetworkException>(() => Store().Create(request));

        Assert.Equal(NetworkError.Invalid, error.Kind);
        Assert.Contains(words, error.Message, StringComparison.Ordinal);
        Assert.Empty(Directory.Exists(Path.Combine(_root, "networks")) ? Directory.GetFiles(Path.Combine(_root, "networks"), "*.json") : []);
    }

    [Fact]
    public void Find_DamagedRecord_NamesTheFile()
    {
        NetworkStore store = Store();
        NetworkConfig one = store.Create(new NetworkRequest { Name = "one" });
        string file = Path.Combine(_root, "networks", one.Id + ".json");
        File.WriteAllText(file, "{\"id\":\"x\"");

        Assert.Contains($"{file} is damaged", Assert.Throws<NetworkException>(() => store.Find("one")).Message, StringComparison.Ordinal);
    }

    private NetworkStore Store() => new(_root, () => _routes);
}
