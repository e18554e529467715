using Hull.Networking.Ports;

namespace Hull.Networking.Tests.Ports;

public sealed class PortRuleTests
{
    [Theory]
    [InlineData("80", "80/tcp <- any:0-0")]
    [InlineData("80/udp", "80/udp <- any:0-0")]
    [InlineData("8080:80", "80/tcp <- any:8080-8080")]
    [InlineData("8080:80/SCTP", "80/sctp <- any:8080-8080")]
    [InlineData("0:80", "80/tcp <- any:0-0")]
    [InlineData(":80", "80/tcp <- any:0-0")]
    [InlineData("127.0.0.1:8080:80", "80/tcp <- 127.0.0.1:8080-8080")]
    [InlineData("127.0.0.1::80", "80/tcp <- 127.0.0.1:0-0")]
    [InlineData("[::1]:8080:80", "80/tcp <- ::1:8080-8080")]
    [InlineData("[::]::80/udp", "80/udp <- :::0-0")]
    [InlineData("8000-8009:80", "80/tcp <- any:8000-8009")]
    [InlineData("8000-8001:80-81", "80/tcp <- any:8000-8000, 81/tcp <- any:8001-8001")]
    [InlineData("80-81", "80/tcp <- any:0-0, 81/tcp <- any:0-0")]
    [InlineData("published=8080,target=80,protocol=udp", "80/udp <- any:8080-8080")]
    [InlineData("target=80,mode=host", "80/tcp <- any:0-0")]
    public void Parse_Form_IsRead(string text, string expected) => Assert.Equal(
        expected,
        string.Join(", ", PortRule.Parse(text).Select(rule => $"{rule.ContainerPort}/{rule.Protocol} <- {rule.HostAddress?.ToString() ?? "any"}:{rule.HostPort}-{rule.HostPortEnd}")));

    [Theory]
    [InlineData("", "No port specified")]
    [InlineData("8080:", "No port specified")]
    [InlineData("0", "Invalid containerPort: 0")]
    [InlineData("8080:0", "Invalid containerPort: 0")]
    [InlineData("70000", "Invalid containerPort: 70000")]
    [InlineData("70000:80", "Invalid hostPort: 70000")]
    [InlineData("-80", "Invalid containerPort")]
    [InlineData("90-80", "the range is reversed, 80-90 is meant")]
    [InlineData("9000-8000:80", "the range is reversed")]
    [InlineData("1-2-3", "Invalid containerPort")]
    [InlineData("8000-8005:80-81", "invalid ranges specified for container and host Ports: 80-81 and 8000-8005")]
    [InlineData("80/icmp", "invalid proto: icmp")]
    [InlineData("80/", "invalid proto")]
    [InlineData("localhost:8080:80", "invalid IP address: localhost")]
    [InlineData("1.2.3:8080:80", "invalid IP address: 1.2.3")]
    [InlineData("::1:8080:80", "needs brackets")]
    [InlineData("[::1:8080:80", "needs brackets")]
    [InlineData("[::1]8080:80", "needs brackets")]
    [InlineData("a=b", "none of published, target, protocol, mode")]
    [InlineData("x\u001b[1m", "x?[1m")]
    public void Parse_NoForm_SaysWhatIsWrong(string text, string words)
    {
        NetworkException error = Assert.Throws<NetworkException>(() => PortRule.Parse(text));

        Assert.Equal(NetworkError.Invalid, error.Kind);
        Assert.Contains(words, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void ParseExposed_Range_IsEachPort()
    {
        Assert.Equal(["7000/udp", "7001/udp"], PortRule.ParseExposed("7000-7001/udp"));
        Assert.Equal((7001, "udp"), PortRule.Split("7001/udp"));
    }
}
