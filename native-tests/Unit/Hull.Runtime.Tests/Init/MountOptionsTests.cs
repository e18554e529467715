using Hull.Runtime.Init;

namespace Hull.Runtime.Tests.Init;

public sealed class MountOptionsTests
{
    [Theory]
    [InlineData("idmap", false)]
    [InlineData("ridmap", true)]
    public void MountOptions_IdMap_IsTheMountOrAllBelow(string word, bool recursive)
    {
        MountOptions options = MountOptions.Parse(["bind", word]);

        Assert.True(options.IdMapped);
        Assert.Equal(recursive, options.IdMappedRecursive);
        Assert.Empty(options.Data);
    }
}
