namespace Hull.Oci.Tests;

public sealed class ImageReferenceTests
{
    private const string Hex = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

    [Theory]
    [InlineData("busybox", "docker.io/library/busybox:latest", "busybox:latest")]
    [InlineData("busybox:1.36", "docker.io/library/busybox:1.36", "busybox:1.36")]
    [InlineData("grafana/loki", "docker.io/grafana/loki:latest", "grafana/loki:latest")]
    [InlineData("docker.io/busybox", "docker.io/library/busybox:latest", "busybox:latest")]
    [InlineData("index.docker.io/library/busybox", "docker.io/library/busybox:latest", "busybox:latest")]
    [InlineData("localhost/a", "localhost/a:latest", "localhost/a:latest")]
    [InlineData("localhost:5000/a/b/c:T_1.x-y", "localhost:5000/a/b/c:T_1.x-y", "localhost:5000/a/b/c:T_1.x-y")]
    [InlineData("[::1]:5000/a", "[::1]:5000/a:latest", "[::1]:5000/a:latest")]
    [InlineData("[::1]/a", "[::1]/a:latest", "[::1]/a:latest")]
    [InlineData("Registry/a", "Registry/a:latest", "Registry/a:latest")]
    [InlineData("quay.io/a__b/c---d.e_f", "quay.io/a__b/c---d.e_f:latest", "quay.io/a__b/c---d.e_f:latest")]
    [InlineData("busybox@sha256:" + Hex, "docker.io/library/busybox@sha256:" + Hex, "busybox@sha256:" + Hex)]
    [InlineData("busybox:1@sha256:" + Hex, "docker.io/library/busybox:1@sha256:" + Hex, "busybox:1@sha256:" + Hex)]
    public void Parse_ValidReference_IsCompletedAsDockerDoes(string text, string canonical, string familiar)
    {
        ImageReference reference = ImageReference.Parse(text);

        Assert.Equal((canonical, familiar), (reference.ToString(), reference.Familiar));
        Assert.Equal(reference, ImageReference.Parse(reference.ToString()));
    }

    [Theory]
    [InlineData("")]
    [InlineData(":tag")]
    [InlineData("/a")]
    [InlineData("a/")]
    [InlineData("a//b")]
    [InlineData("a:")]
    [InlineData("a:.x")]
    [InlineData("a..b")]
    [InlineData("a___b")]
    [InlineData("-a")]
    [InlineData("a-")]
    [InlineData("../../etc/passwd")]
    [InlineData("localhost:5000/../x")]
    [InlineData("localhost:99999/a")]
    [InlineData("localhost:5000\0/a")]
    [InlineData("host:port/a")]
    [InlineData("a b")]
    [InlineData("a\nb")]
    [InlineData("a?b=c")]
    [InlineData("a%2fb")]
    [InlineData("user@host/a")]
    [InlineData("http://host/a")]
    [InlineData("-x.y/a")]
    [InlineData("[::1/a")]
    [InlineData("[fe80::1%25eth0]:5000/a")]
    [InlineData("[127.0.0.1]/a")]
    [InlineData(Hex)]
    public void Parse_NotAReference_SaysInvalidReferenceFormat(string text)
    {
        FormatException error = Assert.Throws<FormatException>(() => ImageReference.Parse(text));

        Assert.StartsWith("invalid reference format", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Parse_UppercaseRepository_SaysItMustBeLowercase()
    {
        FormatException error = Assert.Throws<FormatException>(() => ImageReference.Parse("localhost:5000/Foo"));

        Assert.Equal("invalid reference format: repository name (Foo) must be lowercase", error.Message);
    }

    [Theory]
    [InlineData("sha256:../../x")]
    [InlineData("sha256:" + Hex + "/../../other")]
    [InlineData("sha256:0123456789ABCDEF0123456789abcdef0123456789abcdef0123456789abcdef")]
    [InlineData("sha256:abc")]
    [InlineData("sha256:")]
    [InlineData("md5:0123456789abcdef0123456789abcdef")]
    public void CVE_2024_3727_DigestThatIsNotHexadecimal_IsRefusedBeforeAnyUse(string digest)
    {
        FormatException error = Assert.Throws<FormatException>(() => ImageReference.Parse("busybox@" + digest));

        Assert.Contains("digest", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Parse_NameOf256Characters_IsRefused()
    {
        string path = new('a', 256);

        Assert.False(ImageReference.TryParse("localhost/" + path, out _));
        Assert.True(ImageReference.TryParse("localhost/" + new string('a', 245), out _));
    }
}
