namespace Hull.Linux.Tests;

public sealed class FileAttributesTests
{
    private const long Ext4Magic = 0xEF53;

    [Fact]
    public void TrySpreadSubdirectories_Ext4_Does()
    {
        string directory = Directory.CreateTempSubdirectory("hull-spread-").FullName;
        try
        {
            bool spread = Files.TrySpreadSubdirectories(directory);

            Assert.True(spread || Files.TryFileSystemMagic(directory, out _) != Ext4Magic);
        }
        finally
        {
            Directory.Delete(directory);
        }
    }

    [Fact]
    public void TrySpreadSubdirectories_NoSuchAttributeOrDirectory_SaysSo()
    {
        Assert.False(Files.TrySpreadSubdirectories("/proc/self"));
        Assert.False(Files.TrySpreadSubdirectories("/nowhere/at/all"));
    }
}
