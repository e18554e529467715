using System.Net;
using Hull.Networking.Addresses;
using Hull.Networking.Records;

namespace Hull.Networking.Tests.Addresses;

public sealed class AddressLeasesTests : IDisposable
{
    private static readonly IpamConfig Pool = new()
    {
        Subnet = Subnet.Parse("10.9.8.0/29"),
        Gateway = IPAddress.Parse("10.9.8.1"),
        Auxiliary = new Dictionary<string, string> { ["router"] = "10.9.8.3" },
    };

    private readonly string _directory = Directory.CreateTempSubdirectory("hull-leases").FullName;
    private readonly HashSet<string> _dead = [];

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact]
    public void Claim_UntilThePoolIsEmpty_GivesEachAddressOnce()
    {
        AddressLeases leases = Leases();

        Assert.Equal(["10.9.8.2", "10.9.8.4", "10.9.8.5", "10.9.8.6"], Enumerable.Range(0, 4).Select(i => leases.Claim(Pool, $"c{i}", "name").ToString()));
        NetworkException error = Assert.Throws<NetworkException>(() => leases.Claim(Pool, "c5", "name"));
        Assert.Equal(NetworkError.Conflict, error.Kind);
        Assert.Contains("no available IPv4 addresses", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Rename_OfTheContainersOwn_ChangesTheNameAlone()
    {
        AddressLeases leases = Leases();
        IPAddress address = leases.Claim(Pool, "c1", "old.net");

        leases.Rename(address, "c2", "other.net");
        Assert.Equal("c1 old.net", Target());
        leases.Rename(address, "c1", "new.net");
        Assert.Equal("c1 new.net", Target());
        Assert.Throws<NetworkException>(() => leases.Claim(Pool, "c2", "other.net", address));

        string? Target() => new FileInfo(Path.Combine(_directory, address.ToString())).LinkTarget;
    }

    [Fact]
    public void Claim_ManyAtOnce_NeverGivesOneTwice()
    {
        IpamConfig pool = new() { Subnet = Subnet.Parse("10.9.0.0/22"), Gateway = IPAddress.Parse("10.9.0.1") };
        IPAddress[] claimed = new IPAddress[400];

        Parallel.For(0, claimed.Length, i => claimed[i] = Leases().Claim(pool, $"c{i}", "name"));

        Assert.Equal(claimed.Length, claimed.Distinct().Count());
    }

    [Fact]
    public void Release_ByItsOwner_MakesItFree()
    {
        AddressLeases leases = Leases();
        IPAddress address = leases.Claim(Pool, "mine", "name");

        leases.Release(address, "another");
        Assert.Throws<NetworkException>(() => leases.Claim(Pool, "another", "name", address));
        leases.Release(address, "mine");
        Assert.Equal(address, leases.Claim(Pool, "another", "name", address));
    }

    [Fact]
    public void Claim_LeaseOfOneThatWasKilled_IsTakenOver()
    {
        AddressLeases leases = Leases();
        IPAddress[] all = [.. Enumerable.Range(0, 4).Select(i => leases.Claim(Pool, $"c{i}", "name"))];

        _dead.Add("c2");
        Assert.Equal(all[2], leases.Claim(Pool, "next", "name"));
        _dead.Add("c1");
        Assert.Equal(all[1], leases.Claim(Pool, "next", "name", all[1]));
    }

    [Theory]
    [InlineData("10.9.8.1", NetworkError.Conflict, "is the network's gateway")]
    [InlineData("10.9.8.0", NetworkError.Conflict, "is reserved")]
    [InlineData("10.9.8.7", NetworkError.Conflict, "is reserved")]
    [InlineData("10.9.8.3", NetworkError.Conflict, "is reserved")]
    [InlineData("10.9.9.2", NetworkError.Invalid, "no configured subnet contains IP address 10.9.9.2")]
    [InlineData("fd00::2", NetworkError.Invalid, "no configured subnet contains")]
    public void Claim_AddressThatNoContainerCanHave_SaysWhy(string address, NetworkError kind, string words)
    {
        NetworkException error = Assert.Throws<NetworkException>(() => Leases().Claim(Pool, "c", "name", IPAddress.Parse(address)));

        Assert.Equal(kind, error.Kind);
        Assert.Contains(words, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Claim_Range_IsWhereAddressesAreChosen()
    {
        IpamConfig pool = new() { Subnet = Subnet.Parse("fd00::/64"), Gateway = IPAddress.Parse("fd00::1"), Range = Subnet.Parse("fd00::100/120") };

        Assert.Equal("fd00::100", Leases().Claim(pool, "c", "name").ToString());
        Assert.Equal("fd00::7", Leases().Claim(pool, "c", "name", IPAddress.Parse("fd00::7")).ToString());
    }

    private AddressLeases Leases() => new(_directory, owner => !_dead.Contains(owner));
}
