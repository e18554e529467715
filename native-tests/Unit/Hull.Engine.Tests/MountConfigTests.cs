using Hull.Engine.Containers;

namespace Hull.Engine.Tests;

public class MountConfigTests
{
    [Theory]
    [InlineData("/srv:/data", MountKind.Bind, "/srv", "/data", false)]
    [InlineData("/srv/../etc/:/data//x/./", MountKind.Bind, "/etc", "/data/x", false)]
    [InlineData("./sub:/data:ro", MountKind.Bind, "/here/sub", "/data", true)]
    [InlineData("cache:/data:ro,nocopy", MountKind.Volume, "cache", "/data", true)]
    [InlineData("/data", MountKind.Volume, null, "/data", false)]
    [InlineData("/data:ro", MountKind.Volume, null, "/data", true)]
    public void ParseVolume_Forms_AreRead(string text, MountKind kind, string? source, string target, bool readOnly)
    {
        MountConfig mount = MountConfig.ParseVolume(text, "/here");

        Assert.Equal((kind, source, target, readOnly), (mount.Kind, mount.Source, mount.Target, mount.ReadOnly));
        Assert.Equal(source is null, mount.Anonymous);
    }

    [Theory]
    [InlineData("a:b", "mount path must be absolute")]
    [InlineData("/:/", "destination can't be '/'")]
    [InlineData("/a:/b/../..", "destination can't be '/'")]
    [InlineData("/a:/b:ro:x", "too many colons")]
    [InlineData("/a:/b:wrong", "invalid mode: wrong")]
    [InlineData("/a:/b:nocopy", "invalid mode: nocopy")]
    [InlineData("../a/b c:/b:ro,", "invalid mode")]
    [InlineData("foo/bar:/b", "includes invalid characters for a local volume name")]
    [InlineData("x:/b", "volume name is too short")]
    [InlineData(":/b", "empty section between colons")]
    [InlineData("/a:/b\nc", "control characters")]
    public void ParseVolume_Wrong_SaysWhy(string text, string words) =>
        Assert.Contains(words, Assert.Throws<EngineException>(() => MountConfig.ParseVolume(text)).Message, StringComparison.Ordinal);

    [Fact]
    public void ParseMount_Bind_IsRead()
    {
        MountConfig mount = MountConfig.ParseMount("type=bind,src=/srv,dst=/data,ro,bind-propagation=rslave,bind-recursive=disabled");

        Assert.Equal(
            new MountConfig
            {
                Kind = MountKind.Bind,
                Source = "/srv",
                Target = "/data",
                ReadOnly = true,
                Propagation = "rslave",
                NonRecursive = true,
                Origin = MountOrigin.MountFlag,
            },
            mount);
    }

    [Fact]
    public void ParseMount_QuotedField_MayHoldACommaAndAQuote() =>
        Assert.Equal("/a,b\"c", MountConfig.ParseMount("type=bind,\"source=/a,b\"\"c\",target=/x").Source);

    [Fact]
    public void ParseMount_Tmpfs_IsRead()
    {
        MountConfig mount = MountConfig.ParseMount("type=tmpfs,target=/run,tmpfs-size=64m,tmpfs-mode=1770");

        Assert.Equal((MountKind.Tmpfs, 64L << 20, 0x3F8u), (mount.Kind, mount.TmpfsSize!.Value, mount.TmpfsMode!.Value));
    }

    [Theory]
    [InlineData("type=volume,source=data,target=/d,volume-nocopy", "data")]
    [InlineData("target=/d", null)]
    public void ParseMount_Volume_IsRead(string text, string? name) => Assert.Equal(name, MountConfig.ParseMount(text).Source);

    [Theory]
    [InlineData("type=bind,target=/x", "source is required")]
    [InlineData("type=bind,source=/x", "target is required")]
    [InlineData("type=magic,target=/x", "mount type unknown: \"magic\"")]
    [InlineData("type=tmpfs,source=/a,target=/x", "source must not be set for type tmpfs")]
    [InlineData("type=bind,source=/a,target=/x,volume-nocopy", "cannot mix 'volume-*' options with mount type 'bind'")]
    [InlineData("type=volume,target=/x,bind-propagation=shared", "cannot mix 'bind-*' options with mount type 'volume'")]
    [InlineData("type=bind,source=/a,target=/x,bind-propagation=shared\\,suid", "invalid")]
    [InlineData("type=bind,source=/a,target=/x,bogus=1", "unexpected key 'bogus'")]
    [InlineData("type=bind,source=/a,target=/x,bogus", "must be a key=value pair")]
    [InlineData("target=/x,volume-subpath=../../etc", "subpath must be a relative path")]
    [InlineData("target=/x,volume-subpath=/etc", "subpath must be a relative path")]
    [InlineData("type=tmpfs,target=/x,tmpfs-mode=98", "invalid value for tmpfs-mode")]
    [InlineData("\"target=/x", "a double quote is not closed")]
    public void ParseMount_Wrong_SaysWhy(string text, string words) =>
        Assert.Contains(words, Assert.Throws<EngineException>(() => MountConfig.ParseMount(text)).Message, StringComparison.Ordinal);

    [Fact]
    public void ParseTmpfs_Options_AreKept()
    {
        MountConfig mount = MountConfig.ParseTmpfs("/run:size=64m,mode=1777,exec");

        Assert.Equal("/run", mount.Target);
        Assert.Equal(["size=64m", "mode=1777", "exec"], mount.TmpfsOptions!);
    }

    [Theory]
    [InlineData("/run:context=system_u", "invalid tmpfs option")]
    [InlineData("/run:size=big", "not a size")]
    [InlineData("run", "must be absolute")]
    public void ParseTmpfs_Wrong_SaysWhy(string text, string words) =>
        Assert.Contains(words, Assert.Throws<EngineException>(() => MountConfig.ParseTmpfs(text)).Message, StringComparison.Ordinal);

    [Theory]
    [InlineData("512", 512L)]
    [InlineData("6m", 6L << 20)]
    [InlineData("1.5g", 3L << 29)]
    [InlineData("2 KiB", 2048L)]
    [InlineData("10MB", 10L << 20)]
    public void ByteSize_Forms_AreRead(string text, long expected)
    {
        Assert.True(ByteSize.TryParse(text, out long bytes));
        Assert.Equal(expected, bytes);
    }

    [Theory]
    [InlineData("")]
    [InlineData("m")]
    [InlineData("1x")]
    [InlineData("1bb")]
    [InlineData("-5")]
    [InlineData("99999999999p")]
    public void ByteSize_Wrong_IsRefused(string text) => Assert.False(ByteSize.TryParse(text, out _));

    [Theory]
    [InlineData(64L << 20, "64 MiB")]
    [InlineData(3L << 29, "1.5 GiB")]
    public void ByteSize_Words_AreShort(long bytes, string words) => Assert.Equal(words, ByteSize.Words(bytes));
}
