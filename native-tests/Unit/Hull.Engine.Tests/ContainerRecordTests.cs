using System.Text.Json;
using Hull.Engine.Containers;
using Hull.Oci;

namespace Hull.Engine.Tests;

public class ContainerRecordTests
{
    [Fact]
    public void Status_ZeroValues_SurviveTheRoundTrip()
    {
        ContainerStatus status = new()
        {
            Id = ContainerId.New(),
            Name = "web",
            Image = "busybox",
            ImageId = Digest.Of([]),
            Command = "sh",
            Created = DateTimeOffset.UnixEpoch,
            State = ContainerState.Created,
        };

        string json = JsonSerializer.Serialize(status, ContainerJson.Default.ContainerStatus);

        Assert.Equal(status, JsonSerializer.Deserialize(json, ContainerJson.Default.ContainerStatus));
        Assert.DoesNotContain("oomKilled", json, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("")]
    [InlineData("../../../../etc")]
    [InlineData("ABCDEF0123456789abcdef0123456789abcdef0123456789abcdef0123456789")]
    [InlineData("abcdef0123456789abcdef0123456789abcdef0123456789abcdef012345678")]
    public void ContainerId_NotSixtyFourLowerHexDigits_IsRefused(string text)
    {
        Assert.False(ContainerId.TryParse(text, out _));
        Assert.Throws<FormatException>(() => ContainerId.Parse(text));
    }

    [Fact]
    public void ContainerId_New_HasALetterInItsShortForm()
    {
        for (int i = 0; i < 1000; i++)
        {
            Assert.Contains(ContainerId.New().Short, c => c is >= 'a' and <= 'f');
        }
    }

    [Theory]
    [InlineData(EngineErrorKind.CommandNotFound, 127)]
    [InlineData(EngineErrorKind.CannotExecute, 126)]
    [InlineData(EngineErrorKind.NotFound, 125)]
    [InlineData(EngineErrorKind.System, 125)]
    public void RunExitCode_ByKind_IsDockers(EngineErrorKind kind, int expected) =>
        Assert.Equal(expected, new EngineException(kind, "x").RunExitCode);

    [Theory]
    [InlineData("no", RestartCondition.No, 0)]
    [InlineData("always", RestartCondition.Always, 0)]
    [InlineData("on-failure:3", RestartCondition.OnFailure, 3)]
    [InlineData("unless-stopped", RestartCondition.UnlessStopped, 0)]
    public void RestartPolicy_Parse_Reads(string text, RestartCondition condition, int count) =>
        Assert.Equal(new RestartPolicy { Condition = condition, MaximumRetryCount = count }, RestartPolicy.Parse(text));

    [Theory]
    [InlineData("always:3", "maximum retry count can only be used with 'on-failure'")]
    [InlineData("sometimes", "unknown policy 'sometimes'")]
    [InlineData("on-failure:x", "maximum retry count must be an integer")]
    [InlineData("on-failure:-1", "maximum retry count cannot be negative")]
    public void RestartPolicy_Parse_Refuses(string text, string words) =>
        Assert.Contains(words, Assert.Throws<EngineException>(() => RestartPolicy.Parse(text)).Message, StringComparison.Ordinal);

    [Theory]
    [InlineData("/dev/null", "/dev/null", "/dev/null", "rwm")]
    [InlineData("/dev/null:r", "/dev/null", "/dev/null", "r")]
    [InlineData("/dev/null:/dev/x", "/dev/null", "/dev/x", "rwm")]
    [InlineData("/dev/null:/dev/x:rm", "/dev/null", "/dev/x", "rm")]
    public void Device_Parse_Reads(string text, string host, string container, string permissions) =>
        Assert.Equal(
            new DeviceConfig { HostPath = host, ContainerPath = container, Permissions = permissions }, DeviceConfig.Parse(text));

    [Theory]
    [InlineData("null")]
    [InlineData("/dev/null:x")]
    [InlineData("/dev/null:/dev/x:q")]
    [InlineData("/a:/b:r:w")]
    public void Device_Parse_Refuses(string text) =>
        Assert.Contains("invalid device specification", Assert.Throws<EngineException>(() => DeviceConfig.Parse(text)).Message, StringComparison.Ordinal);

    [Theory]
    [InlineData("nofile=1024", "nofile", 1024, 1024)]
    [InlineData("nofile=1024:2048", "nofile", 1024, 2048)]
    [InlineData("core=-1", "core", -1, -1)]
    [InlineData("core=0", "core", 0, 0)]
    public void Ulimit_Parse_Reads(string text, string name, long soft, long hard) =>
        Assert.Equal(new Ulimit { Name = name, Soft = soft, Hard = hard }, Ulimit.Parse(text));

    [Theory]
    [InlineData("nofile", "invalid ulimit argument")]
    [InlineData("files=1", "invalid ulimit type: files")]
    [InlineData("nofile=2:1", "soft limit must be less than or equal to hard limit")]
    [InlineData("nofile=-1:1", "soft limit must be less than or equal to hard limit")]
    [InlineData("nofile=99999999999999999999", "invalid ulimit argument")]
    public void Ulimit_Parse_Refuses(string text, string words) =>
        Assert.Contains(words, Assert.Throws<EngineException>(() => Ulimit.Parse(text)).Message, StringComparison.Ordinal);
}
