using System.Net;
using System.Text;
using Hull.Linux;
using Hull.Networking.Dns;
using Hull.Networking.Endpoints;
using Microsoft.Win32.SafeHandles;

namespace Hull.Networking.Tests.Dns;

public sealed class DirectoryNamesTests : IDisposable
{
    private readonly string _root = Directory.CreateTempSubdirectory("hull-names-").FullName;
    private readonly DirectoryNames _names;

    public DirectoryNamesTests()
    {
        Endpoint("front", "web", "0123456789ab", "10.0.0.2,fd00::2");
        Endpoint("front", "web", "ba9876543210", "10.0.0.3,");
        Endpoint("front", "db.v1", "0123456789ab", "10.0.0.4,");
        Endpoint("back", "web", "0123456789ab", "10.1.0.2,");
        Endpoint("back", "six", "0123456789ab", ",fd01::6");
        Endpoint("back", "none", "0123456789ab", ",");
        _names = new DirectoryNames(_root);
        _names.SetNetworks(new NamedNetwork("front", "Front"), new NamedNetwork("back", "back"));
    }

    public void Dispose()
    {
        _names.Dispose();
        Directory.Delete(_root, recursive: true);
    }

    [Theory]
    [InlineData("web", "10.0.0.2 10.0.0.3 10.1.0.2 fd00::2")]
    [InlineData("web.front", "10.0.0.2 10.0.0.3 fd00::2")]
    [InlineData("web.back", "10.1.0.2")]
    [InlineData("db.v1", "10.0.0.4")]
    [InlineData("db.v1.front", "10.0.0.4")]
    [InlineData("six", "fd01::6")]
    [InlineData("none", "")]
    [InlineData("other", null)]
    [InlineData("web.other", null)]
    [InlineData("db.v1.back", null)]
    [InlineData("front", null)]
    [InlineData("web.front.front", null)]
    public void TryLookup_Name_AddressesOfTheContainersNetworks(string name, string? addresses) => Assert.Equal(addresses, Lookup(name));

    [Fact]
    public void TryLookup_Link_LeadsToItsTargetOnThatNetworkAlone()
    {
        Endpoint("front", "cafe00000000", "cafe00000000", "10.0.0.7,");
        _names.SetNetworks(new NamedNetwork("front", "Front", new EndpointLink("cafe00000000", "Sql"), new EndpointLink("db.v1", "web"), new EndpointLink("nobody", "gone")), new NamedNetwork("back", "back"));

        Assert.Equal("10.0.0.7", Lookup("sql"));
        Assert.Equal("10.0.0.7", Lookup("sql.front"));
        Assert.Null(Lookup("sql.back"));
        // A container's own word for another comes before that one's name.
        Assert.Equal("10.0.0.4", Lookup("web.front"));
        Assert.Equal("10.0.0.4 10.1.0.2", Lookup("web"));
        Assert.Null(Lookup("gone"));
    }

    [Fact]
    public void TryLookup_ChangesOnDisk_ShowAtOnce()
    {
        Endpoint("front", "late", "0123456789ab", "10.0.0.9,");
        Assert.Equal("10.0.0.9", Lookup("late"));

        File.Delete($"{_root}/front/names/late/0123456789ab");
        Assert.Null(Lookup("late"));

        Directory.Delete($"{_root}/front/names/late");
        Assert.Null(Lookup("late"));
    }

    [Fact]
    public void SetNetworks_Disconnected_ItsNamesAreGone()
    {
        _names.SetNetworks(new NamedNetwork("back", "back"));

        Assert.Equal(("10.1.0.2", null), (Lookup("web"), Lookup("web.front")));

        Directory.Delete($"{_root}/back", recursive: true);
        Assert.Null(Lookup("web"));
    }

    [Fact]
    public void TryLookup_EntryThatIsNoEndpoint_PassedOver()
    {
        File.WriteAllText($"{_root}/front/names/web/new-1", "10.9.9.9,");
        Endpoint("front", "web", "cccccccccccc", "no address,10.0.0.300");

        Assert.Equal("10.0.0.2 10.0.0.3 10.1.0.2 fd00::2", Lookup("web"));
    }

    [Fact]
    public void TryLookup_NamesThroughASymbolicLink_FailsRatherThanLeavesTheDirectory()
    {
        Directory.CreateSymbolicLink($"{_root}/front/names/away", $"{_root}/back/names/web");

        SyscallException error = Assert.Throws<SyscallException>(() => Lookup("away"));

        Assert.Equal(("open", "front/names/away", Errno.ELOOP), (error.Operation, error.Target, error.Errno));
    }

    [Fact]
    public void Reverse_Address_ItsName()
    {
        Directory.CreateDirectory($"{_root}/front/addresses");
        string id = new('a', 64);
        File.CreateSymbolicLink($"{_root}/front/addresses/10.0.0.2", $"{id} web.front");
        File.CreateSymbolicLink($"{_root}/front/addresses/fd00::2", $"{id} {new string('w', 63)}.front");

        Assert.Equal("web.front", Reverse("10.0.0.2"));
        Assert.Equal(new string('w', 63) + ".front", Reverse("fd00:0:0::2"));
        Assert.Equal("", Reverse("10.0.0.3"));
        _names.SetNetworks(new NamedNetwork("back", "back"));
        Assert.Equal("", Reverse("10.0.0.2"));
    }

    [Fact]
    public void TryLookup_FiveHundredEndpoints_All()
    {
        for (int i = 0; i < 500; i++)
        {
            Endpoint("front", "many", $"{i:x12}", $"10.2.{i / 250}.{i % 250},");
        }

        Assert.Equal(500, Lookup("many")!.Split(' ').Length);
    }

    private void Endpoint(string network, string name, string container, string addresses)
    {
        Directory.CreateDirectory($"{_root}/{network}/names/{name}");
        using SafeFileHandle directory = Files.Open($"{_root}/{network}/names/{name}", OpenFlags.Path | OpenFlags.Directory);
        Files.MakeSymbolicLink(addresses, directory, container);
    }

    private string? Lookup(string name)
    {
        AddressList addresses = new();
        return _names.TryLookup(Encoding.ASCII.GetBytes(name), addresses)
            ? string.Join(' ', addresses.Version4.Select(bits => new IPAddress(bits).ToString())
                .Concat(addresses.Version6.Select(bits => new IPAddress(System.Runtime.InteropServices.MemoryMarshal.AsBytes([bits])).ToString())).Order())
            : null;
    }

    private string Reverse(string address)
    {
        byte[] name = new byte[253];
        return Encoding.ASCII.GetString(name, 0, _names.Reverse(IPAddress.Parse(address), name));
    }
}
