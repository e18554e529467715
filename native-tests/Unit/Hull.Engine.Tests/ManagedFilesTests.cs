using Hull.Engine.Containers;

namespace Hull.Engine.Tests;

public sealed class ManagedFilesTests : IDisposable
{
    private readonly TemporaryStore _store = new();

    public void Dispose() => _store.Dispose();

    [Fact]
    public void Write_Default_MakesThreeReadableFiles()
    {
        ContainerConfig config = _store.Add("web", host: new HostConfig { ExtraHosts = ["db:10.0.0.7", "v6:[2001:db8::1]", "eq=10.0.0.8"], Dns = ["10.0.0.1"], DnsSearch = ["example.org"] });
        string directory = _store.Paths.ContainerDirectory(config.Id);

        ManagedFiles.Write(directory, config);

        Assert.Equal(config.Id.Short + "\n", File.ReadAllText(directory + "/hostname"));
        string hosts = File.ReadAllText(directory + "/hosts");
        Assert.StartsWith("127.0.0.1\tlocalhost\n", hosts, StringComparison.Ordinal);
        Assert.EndsWith("10.0.0.7\tdb\n2001:db8::1\tv6\n10.0.0.8\teq\n", hosts, StringComparison.Ordinal);
        string resolv = File.ReadAllText(directory + "/resolv.conf");
        Assert.StartsWith("nameserver 10.0.0.1\nsearch example.org\n", resolv, StringComparison.Ordinal);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.OtherRead, File.GetUnixFileMode(directory + "/hosts"));
    }

    [Fact]
    public void Write_NetworkOfAContainer_MakesNone()
    {
        ContainerConfig config = _store.Add("web", host: new HostConfig { NetworkMode = "container:" + ContainerId.New().Hex });

        ManagedFiles.Write(_store.Paths.ContainerDirectory(config.Id), config);

        Assert.False(File.Exists(_store.Paths.ContainerDirectory(config.Id) + "/hosts"));
    }

    [Theory]
    [InlineData("bridge", null, "nameserver 192.0.2.1\nnameserver fe80::1%eth9\nsearch b.example\noptions ndots:2 rotate\n")]
    [InlineData("bridge", "127.0.0.1", "nameserver 127.0.0.1\nsearch b.example\noptions ndots:2 rotate\n")]
    [InlineData("host", "192.0.2.9", "nameserver 192.0.2.9\nsearch b.example\noptions ndots:2 rotate\n")]
    [InlineData("host", null, null)]
    public void ResolvConf_OfTheHost_WithoutItsLoopbackServersInANetworkOfItsOwn(string network, string? server, string? expected)
    {
        const string Own = "# made by hand\nnameserver 127.0.0.53\nnameserver ::1%lo\nnameserver 192.0.2.1\nnameserver fe80::1%eth9\ndomain a.example\nsearch b.example\noptions ndots:2\noptions rotate\n";

        string text = ManagedFiles.ResolvConf(new HostConfig { NetworkMode = network, Dns = server is null ? null : [server] }, Own);

        Assert.Equal(expected ?? Own, text);
    }
}
