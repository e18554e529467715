namespace Hull.Linux.Tests;

public sealed class MountTableTests
{
    [Theory]
    [InlineData("/plain", "/plain")]
    [InlineData(@"/two\040words\011and\012more", "/two words\tand\nmore")]
    [InlineData(@"/\043hash", "/#hash")]
    [InlineData(@"/back\134040slash", @"/back\040slash")]
    public void Unescape_AsTheKernelWrites_IsThePath(string field, string path) => Assert.Equal(path, MountTable.Unescape(field));
}
