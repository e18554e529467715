using Hull.Engine.Volumes;
using Hull.Linux;
using Microsoft.Win32.SafeHandles;

namespace Hull.Engine.Tests;

public sealed class VolumeStoreTests : IDisposable
{
    private readonly TemporaryStore _store = new();
    private readonly VolumeStore _volumes;
    private readonly string _image;

    public VolumeStoreTests()
    {
        _volumes = new VolumeStore(_store.Paths);
        _image = _store.Paths.DataRoot + "/image";
        Directory.CreateDirectory(_image + "/sub");
        File.WriteAllText(_image + "/file", "from the image");
        File.SetUnixFileMode(_image + "/file", UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        File.SetLastWriteTimeUtc(_image + "/file", DateTime.UnixEpoch);
        File.CreateSymbolicLink(_image + "/sub/link", "/etc/passwd");
    }

    public void Dispose() => _store.Dispose();

    [Fact]
    public void Ensure_Twice_MakesOne()
    {
        Assert.True(_volumes.Ensure("data"));
        Assert.False(_volumes.Ensure("data"));
        Assert.Equal("data", Assert.Single(_volumes.List()).Name);
    }

    [Fact]
    public void Ensure_ManyThreads_OneMakesIt()
    {
        int made = 0;
        Parallel.For(0, 32, _ => Interlocked.Add(ref made, _volumes.Ensure("data") ? 1 : 0));

        Assert.Equal(1, made);
        Assert.Equal(["data"], Directory.GetDirectories(_store.Paths.Volumes).Select(path => Path.GetFileName(path)!));
    }

    [Fact]
    public void Fill_Empty_CopiesAsItIs()
    {
        _volumes.Ensure("data");

        using (SafeFileHandle source = Files.Open(_image, OpenFlags.ReadOnly | OpenFlags.Directory))
        {
            _volumes.Fill("data", source);
        }

        string data = _volumes.DataDirectory("data");
        Assert.Equal("from the image", File.ReadAllText(data + "/file"));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, File.GetUnixFileMode(data + "/file"));
        Assert.Equal(DateTime.UnixEpoch, File.GetLastWriteTimeUtc(data + "/file"));
        // The link is copied, never followed.
        Assert.Equal("/etc/passwd", new FileInfo(data + "/sub/link").LinkTarget);
    }

    [Fact]
    public void Fill_VolumeWithContent_LeavesItAsItIs_CVE_2020_1726()
    {
        _volumes.Ensure("data");
        File.WriteAllText(_volumes.DataDirectory("data") + "/file", "mine");

        using SafeFileHandle source = Files.Open(_image, OpenFlags.ReadOnly | OpenFlags.Directory);
        _volumes.Fill("data", source);

        Assert.Equal("mine", File.ReadAllText(_volumes.DataDirectory("data") + "/file"));
        Assert.False(Directory.Exists(_volumes.DataDirectory("data") + "/sub"));
    }

    [Fact]
    public void Remove_TakesTheContent()
    {
        _volumes.Ensure("data");
        _volumes.Remove("data");
        _volumes.Remove("data");

        Assert.Empty(_volumes.List());
        Assert.Equal(EngineErrorKind.NotFound, Assert.Throws<EngineException>(() => _volumes.Read("data")).Kind);
    }

    [Fact]
    public void List_LeftoverOfAKill_IsSwept()
    {
        _volumes.Ensure("data");
        Directory.CreateDirectory(_store.Paths.Volumes + "/.new-half/_data");

        Assert.Single(_volumes.List());
        Assert.False(Directory.Exists(_store.Paths.Volumes + "/.new-half"));
    }

    [Theory]
    [InlineData("../x")]
    [InlineData(".hidden")]
    [InlineData("a/b")]
    [InlineData("x")]
    public void DataDirectory_NameThatIsNone_IsRefused(string name) => Assert.Throws<EngineException>(() => _volumes.DataDirectory(name));
}
