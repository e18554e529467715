using Hull.Oci;
using Hull.Oci.ImageSpec;

namespace Hull.Images.Tests.Registry;

public sealed class PlatformMatchTests
{
    [Theory]
    [InlineData("linux/arm64/v8", "linux/arm64/v8")]
    [InlineData("linux/amd64", "linux/amd64")]
    [InlineData("Linux/AARCH64", "linux/arm64")]
    [InlineData("x86_64", "linux/amd64")]
    [InlineData("armhf", "linux/arm/v7")]
    [InlineData("i386", "linux/386")]
    [InlineData("windows/amd64", "windows/amd64")]
    public void Parse_Platform_IsNormalized(string text, string expected) =>
        Assert.Equal(expected, PlatformMatch.Parse(text).ToString());

    [Theory]
    [InlineData("")]
    [InlineData("/")]
    [InlineData("linux/")]
    [InlineData("a/b/c/d")]
    [InlineData("nonsense")]
    [InlineData("linux/am d64")]
    public void Parse_NoPlatform_IsRefused(string text) =>
        Assert.Throws<FormatException>(() => PlatformMatch.Parse(text));

    [Theory]
    [InlineData("linux/arm/v7", "linux/arm/v6,linux/arm/v7,linux/arm/v5", 1)]
    [InlineData("linux/arm/v7", "linux/arm/v5,linux/arm/v6", 1)]
    [InlineData("linux/arm/v6", "linux/arm/v7", -1)]
    [InlineData("linux/arm64", "linux/arm64/v8", 0)]
    [InlineData("linux/arm64/v8", "linux/arm64", 0)]
    [InlineData("linux/arm64", "linux/arm/v7,linux/arm64/v8", 1)]
    [InlineData("linux/arm64", "linux/amd64,linux/arm/v7", 1)]
    [InlineData("linux/amd64", "linux/386,linux/amd64", 1)]
    [InlineData("linux/amd64", "linux/386", 0)]
    [InlineData("linux/amd64", "linux/amd64/v3,linux/amd64/v1", 1)]
    [InlineData("linux/amd64/v3", "linux/amd64,linux/amd64/v2,linux/amd64/v4", 1)]
    [InlineData("linux/amd64", "windows/amd64,unknown/unknown", -1)]
    [InlineData("linux/s390x", "linux/amd64,linux/s390x", 1)]
    public void Choose_FromIndex_TakesNearestThatRuns(string wanted, string offered, int expected)
    {
        Descriptor[] manifests = [.. offered.Split(',').Select(text =>
        {
            string[] parts = text.Split('/');
            return new Descriptor
            {
                Digest = Digest.Of(System.Text.Encoding.UTF8.GetBytes(text)),
                Size = 1,
                Platform = new Platform { Os = parts[0], Architecture = parts[1], Variant = parts.Length > 2 ? parts[2] : null },
            };
        })];

        Descriptor? chosen = PlatformMatch.Choose(manifests, PlatformMatch.Parse(wanted));

        Assert.Equal(expected < 0 ? null : manifests[expected], chosen);
    }
}
