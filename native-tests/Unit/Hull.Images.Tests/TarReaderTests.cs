using System.Text;
using Hull.Images.Tar;

namespace Hull.Images.Tests;

public sealed class TarReaderTests
{
    [Fact]
    public void MoveNext_LongNameOfGnu_IsTheName()
    {
        string name = string.Join('/', Enumerable.Repeat(new string('n', 90), 3));
        byte[] body = Encoding.ASCII.GetBytes(name + "\0");
        byte[] tar = new TarBuilder().Header("././@LongLink"u8.ToArray(), 'L', [], 0, 0, 0, 0, 0, body.Length).Body(body)
            .File("short", "x").Build();

        TarEntry entry = Assert.Single(Read(tar));

        Assert.Equal(name, Encoding.ASCII.GetString(entry.Name));
    }

    [Fact]
    public void MoveNext_NameWithPrefix_IsJoined()
    {
        byte[] tar = new TarBuilder().Header("file"u8.ToArray(), '0', [], 0, 0, 0, 0, 0, 0, header => "some/dir"u8.CopyTo(header.AsSpan(345))).Build();

        Assert.Equal("some/dir/file", Encoding.ASCII.GetString(Assert.Single(Read(tar)).Name));
    }

    [Fact]
    public void MoveNext_GnuHeaderWithTimesInPrefix_IgnoresThem()
    {
        byte[] tar = new TarBuilder().Header("file"u8.ToArray(), '0', [], 0, 0, 0, 0, 0, 0, header =>
        {
            "ustar  \0"u8.CopyTo(header.AsSpan(257));
            "14000000000"u8.CopyTo(header.AsSpan(345));
        }).Build();

        Assert.Equal("file", Encoding.ASCII.GetString(Assert.Single(Read(tar)).Name));
    }

    [Theory]
    [InlineData("1700000000.123456789", 1700000000, 123456789)]
    [InlineData("-1.5", -2, 500000000)]
    [InlineData("-86400", -86400, 0)]
    [InlineData("0.1234567899", 0, 123456789)]
    [InlineData("-0.25", -1, 750000000)]
    public void MoveNext_PaxTime_KeepsNanosecondsAndSign(string text, long seconds, uint nanoseconds)
    {
        TarEntry entry = Assert.Single(Read(new TarBuilder().File("f", mtime: text).Build()));

        Assert.Equal((seconds, nanoseconds), (entry.ModifiedSeconds, entry.ModifiedNanoseconds));
    }

    [Theory]
    [InlineData(2147483648)]
    [InlineData(4294967294)]
    public void MoveNext_LargeIds_AreKept(long id)
    {
        TarEntry base256 = Assert.Single(Read(new TarBuilder().File("f", uid: id, gid: id).Build()));
        TarEntry pax = Assert.Single(Read(new TarBuilder().Entry("f", '0', pax: new() { ["uid"] = $"{id}", ["gid"] = $"{id}" }).Build()));

        Assert.Equal(((uint)id, (uint)id), (base256.UserId, base256.GroupId));
        Assert.Equal(((uint)id, (uint)id), (pax.UserId, pax.GroupId));
    }

    [Theory]
    [InlineData(4294967295)]
    [InlineData(-1)]
    [InlineData(68719476736)]
    public void MoveNext_IdThatCannotBe_IsRefused(long id) =>
        Assert.Contains("uid", Assert.Throws<ImageException>(() => Read(new TarBuilder().File("f", uid: id).Build())).Message, StringComparison.Ordinal);

    [Fact]
    public void MoveNext_NegativeBase256Time_IsBefore1970()
    {
        byte[] tar = new TarBuilder().Header("f"u8.ToArray(), '0', [], 0, 0, 0, 0, 0, 0, header =>
        {
            header.AsSpan(136, 12).Fill(0xff);
            header[147] = 0xfe;
        }).Build();

        Assert.Equal(-2, Assert.Single(Read(tar)).ModifiedSeconds);
    }

    [Fact]
    public void MoveNext_NonUtf8Name_KeepsItsBytes()
    {
        byte[] name = [(byte)'a', 0xff, 0xe9, (byte)'z'];

        Assert.Equal(name, Assert.Single(Read(new TarBuilder().Raw(name, '0', [], []).Build())).Name);
    }

    [Fact]
    public void MoveNext_GlobalHeader_AppliesToAllAfterIt()
    {
        byte[] body = TarBuilder.PaxRecord("mtime", "5"u8.ToArray());
        byte[] tar = new TarBuilder().Header("g"u8.ToArray(), 'g', [], 0, 0, 0, 0, 0, body.Length).Body(body).File("a").File("b", mtime: "7").Build();

        Assert.Equal([5L, 7L], Read(tar).Select(entry => entry.ModifiedSeconds));
    }

    [Fact]
    public void MoveNext_HardLinkWithSize_HasNoContent()
    {
        byte[] tar = new TarBuilder().Entry("l", '1', link: "t"u8.ToArray(), size: 1000).File("after").Build();

        Assert.Equal(2, Read(tar).Count);
    }

    [Fact]
    public void MoveNext_ContentShorterThanDeclared_IsTruncated()
    {
        // More than 8 GiB declared, nothing there.
        byte[] tar = new TarBuilder().Header("huge"u8.ToArray(), '0', [], 0, 0, 0, 0, 0, 9L << 30).BuildOpen();

        ImageException error = Assert.Throws<ImageException>(() => Read(tar));

        Assert.Equal(ImageError.Corrupt, error.Kind);
        Assert.Contains("truncated", error.Message, StringComparison.Ordinal);
        Assert.Contains("huge", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void MoveNext_HeaderCutShort_IsTruncated() =>
        Assert.Contains("truncated", Assert.Throws<ImageException>(() => Read(new TarBuilder().File("a").BuildOpen()[..300])).Message, StringComparison.Ordinal);

    [Fact]
    public void MoveNext_WrongChecksum_SaysSo()
    {
        byte[] tar = new TarBuilder().File("a").Build();
        tar[0] ^= 1;

        Assert.Contains("not a tar archive", Assert.Throws<ImageException>(() => Read(tar)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("5 a=b\n")]
    [InlineData("999 a=b\n")]
    [InlineData("x a=b\n")]
    [InlineData("7 abcd\n")]
    [InlineData("99999999999999999999 a=b\n")]
    public void MoveNext_MalformedPax_IsRefused(string body)
    {
        byte[] bytes = Encoding.ASCII.GetBytes(body);
        byte[] tar = new TarBuilder().Header("x"u8.ToArray(), 'x', [], 0, 0, 0, 0, 0, bytes.Length).Body(bytes).File("f").Build();

        Assert.Equal(ImageError.Corrupt, Assert.Throws<ImageException>(() => Read(tar)).Kind);
    }

    [Fact]
    public void MoveNext_ExtensionBeyondLimit_IsRefusedBeforeMemoryIsTaken()
    {
        byte[] tar = new TarBuilder().Header("x"u8.ToArray(), 'x', [], 0, 0, 0, 0, 0, 4L << 30).Build();

        Assert.Contains("limit", Assert.Throws<ImageException>(() => Read(tar)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void MoveNext_NulInPaxName_IsRefused() =>
        Assert.Contains("NUL", Assert.Throws<ImageException>(
            () => Read(new TarBuilder().Entry("f", '0', pax: new() { ["path"] = "a\0b" }).Build())).Message, StringComparison.Ordinal);

    [Fact]
    public void MoveNext_Attributes_AreReadWithAnyBytes()
    {
        TarEntry entry = Assert.Single(Read(new TarBuilder().Entry("f", '0', pax: new() { ["SCHILY.xattr.user.x"] = "a=\0\n\u00ff" }).Build()));

        (string name, byte[] value) = Assert.Single(entry.Attributes!);
        Assert.Equal("user.x", name);
        Assert.Equal([(byte)'a', (byte)'=', 0, (byte)'\n', 0xff], value);
    }

    [Theory]
    [InlineData("0,3,4096")]
    [InlineData("0,3,1,3")]
    [InlineData("0,99")]
    [InlineData("-1,3")]
    public void MoveNext_SparseMapThatDoesNotFit_IsRefused(string map) =>
        Assert.Equal(ImageError.Corrupt, Assert.Throws<ImageException>(() => Read(new TarBuilder()
            .Entry("s", '0', "abcdef"u8.ToArray(), pax: new() { ["GNU.sparse.map"] = map, ["GNU.sparse.size"] = "10" }).Build())).Kind);

    private static List<TarEntry> Read(byte[] tar)
    {
        // Small slices, so that every boundary is crossed.
        TarReader reader = new(new StreamTarInput(new MemoryStream(tar), 100));
        List<TarEntry> entries = [];
        while (reader.MoveNext())
        {
            entries.Add(reader.Current);
        }

        return entries;
    }
}
