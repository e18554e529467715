using Hull.Linux;
using Microsoft.Win32.SafeHandles;

namespace Hull.Runtime.Tests;

public sealed class UserSpecTests : IDisposable
{
    private const string Passwd =
        "root:x:0:0:root:/root:/bin/sh\n# comment:x:5:5\n\nweb:x:1001:2001:Web:/srv/web:/bin/sh\n1000:x:0:0::/:/bin/sh\n+1000:x:0:0::/:/bin/sh\n"
        + "web:x:1:1:second:/:/bin/sh\nshort:x:1002\nwrapped:x:4294967296:0::/:/bin/sh\nwords:x:zero:0::/:/bin/sh\nnogroup:x:1003:-1::/:/bin/sh\n"
        + "0x0:y:7:7::/:/bin/sh\nlast:x:1009:2009::/home/last:/bin/sh";

    private const string Group =
        "root:x:0:root\nwheel:x:10:root,web\nweb:x:2001:\nmail:x:2002:other,web\n500:x:0:\nbad:x:99999999999:web\nwords:x:abc:\nmail:x:9:\nnet:x:2003:webmaster,web \n";

    private readonly string _root = Directory.CreateTempSubdirectory("hull-users-").FullName;
    private SafeFileHandle? _handle;

    private SafeFileHandle Root => _handle ??= Files.Open(_root, OpenFlags.Path | OpenFlags.Directory);

    public void Dispose()
    {
        _handle?.Dispose();
        Directory.Delete(_root, recursive: true);
    }

    [Theory]
    [InlineData(null, 0, 0, "0,10", "/root", "root")]
    [InlineData("", 0, 0, "0,10", "/root", "root")]
    [InlineData("0", 0, 0, "0,10", "/root", "root")]
    [InlineData("root", 0, 0, "0,10", "/root", "root")]
    [InlineData("web", 1001, 2001, "2001,10,2002,2003", "/srv/web", "web")]
    [InlineData("1001", 1001, 2001, "2001,10,2002,2003", "/srv/web", "web")]
    [InlineData("web:", 1001, 2001, "2001,10,2002,2003", "/srv/web", "web")]
    [InlineData("web:mail", 1001, 2002, "2002", "/srv/web", "web")]
    [InlineData("web:77", 1001, 77, "77", "/srv/web", "web")]
    [InlineData("42", 42, 0, "0", "/", "")]
    [InlineData("42:43", 42, 43, "43", "/", "")]
    [InlineData("42:wheel", 42, 10, "10", "/", "")]
    [InlineData(":0", 0, 0, "0", "/root", "root")]
    [InlineData(":mail", 0, 2002, "2002", "/root", "root")]
    [InlineData(":", 0, 0, "0,10", "/root", "root")]
    [InlineData("2147483647:2147483647", 2147483647, 2147483647, "2147483647", "/", "")]
    [InlineData("short", 1002, 0, "0", "/", "short")]
    [InlineData("last", 1009, 2009, "2009", "/home/last", "last")]
    public void Resolve_Words_AreWhatDockerMakesOfThem(string? spec, uint uid, uint gid, string groups, string home, string name)
    {
        Write("passwd", Passwd);
        Write("group", Group);

        ContainerUser user = UserSpec.Resolve(spec, Root, []);

        Assert.Equal((uid, gid, groups, home, name), (user.Uid, user.Gid, string.Join(',', user.AdditionalGids), user.Home, user.Name));
    }

    [Fact]
    public void Resolve_NumberThatIsAName_StaysANumber_CVE_2016_3697()
    {
        Write("passwd", Passwd);
        Write("group", Group);

        Assert.Equal(1000u, UserSpec.Resolve("1000", Root, []).Uid);
        Assert.Equal(500u, UserSpec.Resolve("1000:500", Root, []).Gid);
        Assert.Equal([0u, 500u], UserSpec.Resolve("1000", Root, ["500"]).AdditionalGids);
    }

    [Theory]
    [InlineData("1000:", 1000, 0)]
    [InlineData("+1000", 1000, 0)]
    [InlineData("00", 0, 0)]
    [InlineData("-0", 0, 0)]
    public void Resolve_OddNumber_IsThatNumber_CVE_2026_30892(string spec, uint uid, uint gid)
    {
        Write("passwd", Passwd);

        ContainerUser user = UserSpec.Resolve(spec, Root, []);

        Assert.Equal((uid, gid), (user.Uid, user.Gid));
    }

    [Theory]
    [InlineData(" 0", "unable to find user  0: no matching entries in passwd file")]
    [InlineData("0 ", "unable to find user 0 : no matching entries in passwd file")]
    [InlineData("1000\n", "unable to find user 1000\n: no matching entries in passwd file")]
    [InlineData("0x1", "unable to find user 0x1: no matching entries in passwd file")]
    [InlineData("1e3", "unable to find user 1e3: no matching entries in passwd file")]
    [InlineData("1_000", "unable to find user 1_000: no matching entries in passwd file")]
    [InlineData("nobody", "unable to find user nobody: no matching entries in passwd file")]
    [InlineData("1:2:3", "unable to find group 2:3: no matching entries in group file")]
    [InlineData("web:staff", "unable to find group staff: no matching entries in group file")]
    [InlineData("web:words", "unable to find group words: no matching entries in group file")]
    [InlineData("wrapped", "unable to find user wrapped: its entry in passwd file has no valid uid (uids and gids must be in range 0-2147483647)")]
    [InlineData("words", "unable to find user words: its entry in passwd file has no valid uid (uids and gids must be in range 0-2147483647)")]
    [InlineData("nogroup", "unable to find user nogroup: its entry in passwd file has no valid gid (uids and gids must be in range 0-2147483647)")]
    public void Resolve_NoSuchUser_SaysSo_CVE_2026_30892(string spec, string message)
    {
        Write("passwd", Passwd);
        Write("group", Group);

        Assert.Equal(message, Assert.Throws<UserException>(() => UserSpec.Resolve(spec, Root, [])).Message);
    }

    [Theory]
    [InlineData("2147483648")]
    [InlineData("4294967295")]
    [InlineData("4294967296")]
    [InlineData("18446744073709551616")]
    [InlineData("-1")]
    [InlineData("0:4294967296")]
    [InlineData("0:-1")]
    public void Resolve_NumberOutOfRange_IsRefused_CVE_2024_40635_CVE_2026_46680(string spec)
    {
        UserException error = Assert.Throws<UserException>(() => UserSpec.Resolve(spec, Root, []));

        Assert.EndsWith("uids and gids must be in range 0-2147483647", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Resolve_GroupAdd_NamesAndNumbersInOrder()
    {
        Write("passwd", Passwd);
        Write("group", Group);

        Assert.Equal([2001u, 10u, 2002u, 2003u, 77u, 0u], UserSpec.Resolve("web", Root, ["77", "root", "mail", "77"]).AdditionalGids);
        UserException error = Assert.Throws<UserException>(() => UserSpec.Resolve("web", Root, ["staff"]));
        Assert.Equal("unable to find group staff: no matching entries in group file", error.Message);
        Assert.Throws<UserException>(() => UserSpec.Resolve("web", Root, ["4294967296"]));
    }

    [Fact]
    public void Resolve_NoFiles_NumbersStillWork()
    {
        Assert.Equal(("/", "", 0u), (UserSpec.Resolve(null, Root, []).Home, UserSpec.Resolve("", Root, []).Name, UserSpec.Resolve("", Root, []).Uid));
        Assert.Equal([7u, 8u], UserSpec.Resolve("5:7", Root, ["8"]).AdditionalGids);
        UserException error = Assert.Throws<UserException>(() => UserSpec.Resolve("web", Root, []));
        Assert.Equal("unable to find user web: no matching entries in passwd file", error.Message);
    }

    [Fact]
    public void Resolve_LinksOutOfTheRoot_AreResolvedInside_CVE_2024_9676()
    {
        // Absolute and climbing links lead to the host's own file everywhere but in the container's root.
        Directory.CreateDirectory(Path.Combine(_root, "etc"));
        string outside = Path.Combine(Path.GetTempPath(), $"hull-outside-{Guid.NewGuid():n}");
        File.WriteAllText(outside, "spy:x:1:1::/:/bin/sh\n");
        try
        {
            foreach (string target in new[] { outside, "../../../../../../../../.." + outside })
            {
                File.Delete(Path.Combine(_root, "etc/passwd"));
                File.CreateSymbolicLink(Path.Combine(_root, "etc/passwd"), target);
                Assert.Throws<UserException>(() => UserSpec.Resolve("spy", Root, []));
            }
        }
        finally
        {
            File.Delete(outside);
        }

        File.WriteAllText(Path.Combine(_root, "real"), "web:x:1001:2001::/:/bin/sh\n");
        File.Delete(Path.Combine(_root, "etc/passwd"));
        File.CreateSymbolicLink(Path.Combine(_root, "etc/passwd"), "/real");
        Assert.Equal(1001u, UserSpec.Resolve("web", Root, []).Uid);
    }

    [Theory]
    [InlineData("fifo", "/etc/passwd is not a regular file")]
    [InlineData("directory", "/etc/passwd is not a regular file")]
    [InlineData("loop", "/etc/passwd: ELOOP (Too many levels of symbolic links)")]
    [InlineData("magic", "/etc/passwd: ")]
    public async Task Resolve_NoRegularFile_NeverBlocks_CVE_2024_9676(string kind, string reason)
    {
        string path = Path.Combine(_root, "etc/passwd");
        Directory.CreateDirectory(Path.Combine(_root, "etc"));
        switch (kind)
        {
            case "fifo":
                Files.MakeNode(null, path, FileType.Fifo, 0x1ff, 0, 0);
                break;
            case "directory":
                Directory.CreateDirectory(path);
                break;
            case "loop":
                File.CreateSymbolicLink(path, "passwd");
                break;
            default:
                File.CreateSymbolicLink(path, "/proc/self/fd/0");
                break;
        }

        Task<UserException> named = Task.Run(() => Assert.Throws<UserException>(() => UserSpec.Resolve("web", Root, [])), TestContext.Current.CancellationToken);
        UserException error = await named.WaitAsync(TimeSpan.FromSeconds(20), TestContext.Current.CancellationToken);

        Assert.StartsWith(kind == "magic" ? "unable to find user web: no matching" : $"unable to find user web: {reason}", error.Message, StringComparison.Ordinal);
        Assert.Equal(5u, UserSpec.Resolve("5", Root, []).Uid);
        Assert.Equal(0u, UserSpec.Resolve(null, Root, []).Uid);
    }

    [Fact]
    public void Resolve_HugeFile_IsRefusedUnread_CVE_2026_47262()
    {
        Write("passwd", Passwd);
        Write("group", "");
        using (FileStream file = new(Path.Combine(_root, "etc/group"), FileMode.Open))
        {
            file.SetLength(1L << 30);
        }

        long before = GC.GetAllocatedBytesForCurrentThread();
        UserException error = Assert.Throws<UserException>(() => UserSpec.Resolve("web", Root, []));

        Assert.Contains("/etc/group of the container has 1073741824 bytes", error.Message, StringComparison.Ordinal);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 1 << 20);
    }

    [Fact]
    public void Resolve_HugeLine_IsRefused_CVE_2026_47262()
    {
        Write("passwd", Passwd);
        Write("group", "web:x:1:" + new string('a', 1_000_000) + "\n");

        UserException error = Assert.Throws<UserException>(() => UserSpec.Resolve("web", Root, []));

        Assert.Equal("/etc/group of the container has a line of more than 524288 bytes", error.Message);
    }

    [Fact]
    public void Resolve_LongLines_CrossReadsUnharmed()
    {
        Write("passwd", string.Concat(Enumerable.Range(0, 2000).Select(i => $"user{i}:x:{i + 10000}:{i}:{new string('g', i % 300)}:/home/user{i}:/bin/sh\n")));
        Write("group", "big:x:5:" + string.Join(',', Enumerable.Range(0, 20000).Select(i => $"user{i}")) + "\n");

        ContainerUser user = UserSpec.Resolve("user1999", Root, []);

        Assert.Equal((11999u, 1999u, "/home/user1999"), (user.Uid, user.Gid, user.Home));
        Assert.Equal([1999u, 5u], user.AdditionalGids);
    }

    [Fact]
    public void Resolver_HomeNotGiven_IsAdded()
    {
        Write("passwd", Passwd);
        List<string> without = ["PATH=/bin"];
        List<string> with = ["HOME=/mine"];

        ResolvedUser user = UserSpec.Resolver("web", ["7"], without)(Root);
        UserSpec.Resolver("web", [], with)(Root);

        Assert.Equal((1001u, 2001u), (user.Uid, user.Gid));
        Assert.Equal([2001u, 7u], user.AdditionalGids);
        Assert.Equal(["PATH=/bin", "HOME=/srv/web"], without);
        Assert.Equal(["HOME=/mine"], with);
        ContainerException error = Assert.Throws<ContainerException>(() => UserSpec.Resolver("nobody", [], [])(Root));
        Assert.Equal(ContainerFault.Engine, error.Fault);
    }

    private void Write(string name, string text)
    {
        Directory.CreateDirectory(Path.Combine(_root, "etc"));
        File.WriteAllText(Path.Combine(_root, "etc", name), text);
    }
}
