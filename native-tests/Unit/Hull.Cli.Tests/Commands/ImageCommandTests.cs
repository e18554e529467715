using Hull.Cli.Commands.Images;
using Hull.Engine;
using Hull.Images.Registry;
using Hull.Oci.ImageSpec;

namespace Hull.Cli.Tests.Commands;

public class ImageCommandTests
{
    [Fact]
    public void Changes_Instructions_BecomeDefaults()
    {
        ImageDefaults defaults = DefaultsChanges.Apply(
        [
            "CMD [\"sh\", \"-c\", \"true\"]", "ENTRYPOINT /bin/init", "ONBUILD RUN a b", "onbuild COPY . /",
            "HEALTHCHECK --interval=30s --retries=3 CMD curl -f localhost", "ENV A=1 B=\"two words\"", "env A 3 4", "EXPOSE 80 53/udp",
            "LABEL x=y", "STOPSIGNAL INT", "USER 1:2", "VOLUME [\"/data\"]", "WORKDIR /a", "WORKDIR b",
        ],
        new ImageDefaults());
        Assert.Equal(["sh", "-c", "true"], defaults.Cmd);
        Assert.Equal(["/bin/sh", "-c", "/bin/init"], defaults.Entrypoint);
        Assert.Equal(["B=two words", "A=3 4"], defaults.Env);
        Assert.Equal(["80/tcp", "53/udp"], defaults.ExposedPorts!.Keys);
        Assert.Equal(("y", "INT", "1:2", "/a/b"), (defaults.Labels!["x"], defaults.StopSignal, defaults.User, defaults.WorkingDirectory));
        Assert.Equal(["/data"], defaults.Volumes!.Keys);
        Assert.Equal(["RUN a b", "COPY . /"], defaults.OnBuild);
        Assert.Equal(["CMD-SHELL", "curl -f localhost"], defaults.Healthcheck!.Test);
        Assert.Equal((30_000_000_000, 3), (defaults.Healthcheck.Interval, defaults.Healthcheck.Retries));
    }

    [Fact]
    public void Changes_Entrypoint_DropsTheCommandThatWasAnotherPrograms()
    {
        ImageDefaults before = new() { Cmd = ["sh"], Env = ["A=1"], WorkingDirectory = "/a" };

        ImageDefaults after = DefaultsChanges.Apply(["ENTRYPOINT [\"/bin/server\"]", "WORKDIR b", "ENV A=2"], before);

        Assert.Null(after.Cmd);
        Assert.Equal(("/a/b", "A=2"), (after.WorkingDirectory, after.Env!.Single()));
    }

    [Theory]
    [InlineData("NONE", "NONE")]
    [InlineData("CMD [\"a\", \"b\"]", "CMD a b")]
    [InlineData("--timeout=5s CMD a b", "CMD-SHELL a b")]
    public void Healthcheck_Text_IsItsTest(string text, string test) =>
        Assert.Equal(test, string.Join(' ', HealthcheckInstruction.Parse(text).Test!));

    [Theory]
    [InlineData("RUN true", "RUN is not a valid change command")]
    [InlineData("CMD", "has no arguments")]
    [InlineData("ENV A", "must have a value")]
    [InlineData("LABEL a=1 b", "can't find = in")]
    [InlineData("ONBUILD FROM x", "FROM isn't allowed as an ONBUILD trigger")]
    [InlineData("HEALTHCHECK CMD", "missing command after HEALTHCHECK CMD")]
    [InlineData("HEALTHCHECK RUN x", "unknown type")]
    [InlineData("HEALTHCHECK NONE x", "takes no arguments")]
    [InlineData("HEALTHCHECK --interval=1us CMD x", "--interval wants a time of a millisecond")]
    [InlineData("HEALTHCHECK --retries=0 CMD x", "--retries must be at least 1")]
    [InlineData("HEALTHCHECK --often CMD x", "unknown flag --often")]
    public void Changes_Wrong_SaysWhy(string change, string message) =>
        Assert.Contains(message, Assert.Throws<EngineException>(() => DefaultsChanges.Apply([change], new ImageDefaults())).Message, StringComparison.Ordinal);

    [Theory]
    [InlineData("linux/arm64/v8", "linux", "arm64", "v8")]
    [InlineData("linux/amd64", "linux", "amd64", null)]
    [InlineData("arm64", "linux", "arm64", null)]
    public void Platform_Text_Parts(string text, string os, string architecture, string? variant)
    {
        Platform platform = PullCommand.ParsePlatform(text)!;
        Assert.Equal((os, architecture, variant), (platform.Os, platform.Architecture, platform.Variant));
    }

    [Theory]
    [InlineData("a/b/c/d")]
    [InlineData("/amd64")]
    public void Platform_Wrong_IsRefused(string text) => Assert.Throws<EngineException>(() => PullCommand.ParsePlatform(text));

    [Theory]
    [InlineData(TransferPhase.Downloading, 500, 1000, 60, "abc: Downloading [===============>              ]  500B/1kB")]
    [InlineData(TransferPhase.Downloading, 1000, 1000, 60, "abc: Downloading [===============================]  1kB/1kB")]
    [InlineData(TransferPhase.Downloading, 500, 1000, 30, "abc: Downloading 500B/1kB")]
    [InlineData(TransferPhase.Reading, 500, 1000, 30, "abc: Reading 500B/1kB")]
    [InlineData(TransferPhase.Loading, 1000, 1000, 60, "abc: Loading layer [=============================]  1kB/1kB")]
    [InlineData(TransferPhase.Reading, 500, 0, 60, "abc: Reading 500B")]
    [InlineData(TransferPhase.Reading, 500, 0, 14, "abc: Reading 5")]
    [InlineData(TransferPhase.Complete, 0, 0, 80, "abc: Pull complete")]
    [InlineData(TransferPhase.PullingLayer, 0, 0, 10, "abc: Pulli")]
    public void PullLine_Width_BarFits(TransferPhase phase, long current, long total, int width, string expected)
    {
        string line = TerminalTransferProgress.Line(new LayerProgress("abc", phase, current, total), width);
        Assert.True(line.Length <= width, line);
        Assert.Equal(expected, line);
    }

    [Theory]
    [InlineData(1000, 3000, 500, "abc: Pushing [==================>                                    ]  1kB/3kB  500B/s 4s")]
    [InlineData(1_000_000, 500_000_000, 2_000_000, "abc: Pushing [>                            ]  1MB/500MB  2MB/s 4m10s")]
    [InlineData(0, 90_000_000_000, 10_000_000, "abc: Pushing [>                              ]  0B/90GB  10MB/s 2h30m")]
    [InlineData(3000, 3000, 500, "abc: Pushing [==================================================]  3kB/3kB")]
    public void TransferLine_Rate_TellsSpeedAndTimeLeft(long current, long total, double rate, string expected)
    {
        string line = TerminalTransferProgress.Line(new LayerProgress("abc", TransferPhase.Pushing, current, total), 80, rate);
        Assert.Equal(expected.Replace(" ", "", StringComparison.Ordinal).Replace("=", "", StringComparison.Ordinal), line.Replace(" ", "", StringComparison.Ordinal).Replace("=", "", StringComparison.Ordinal));
        Assert.True(line.Length <= 80, line);
    }

    [Fact]
    public void TransferLine_TotalUnknown_TellsBytesAndSpeed() => Assert.Equal(
        "abc: Downloading 5kB  500B/s", TerminalTransferProgress.Line(new LayerProgress("abc", TransferPhase.Downloading, 5000, 0), 80, 500));

    [Fact]
    public void PullProgress_TotalUnknown_IsNotDrawnForEachRead()
    {
        StringWriter output = new() { NewLine = "\n" };
        TerminalTransferProgress progress = new(output, () => 80);
        for (int i = 1; i < 1000; i++)
        {
            progress.Layer(new LayerProgress("aaa", TransferPhase.Downloading, i, 0));
        }

        Assert.InRange(output.ToString().Split("aaa").Length, 2, 100);
    }

    [Fact]
    public void JsonProgress_IsOneObjectALineAsInDockersApi()
    {
        StringWriter output = new() { NewLine = "\n" };
        JsonTransferProgress progress = new(output);
        progress.Message("1: Pulling from team/app");
        progress.Layer(new LayerProgress("abc", TransferPhase.Downloading, 5, 10));
        progress.Layer(new LayerProgress("abc", TransferPhase.Complete, 0, 10));
        Assert.Equal(
            """
            {"status":"1: Pulling from team/app"}
            {"status":"Downloading","progressDetail":{"current":5,"total":10},"id":"abc"}
            {"status":"Pull complete","progressDetail":{},"id":"abc"}

            """,
            output.ToString());
    }

    [Fact]
    public void PullProgress_SecondLayerMoves_FirstStays()
    {
        StringWriter output = new() { NewLine = "\n" };
        TerminalTransferProgress progress = new(output, () => 80);
        progress.Message("latest: Pulling from library/busybox");
        progress.Layer(new LayerProgress("aaa", TransferPhase.PullingLayer, 0, 0));
        progress.Layer(new LayerProgress("bbb", TransferPhase.PullingLayer, 0, 0));
        progress.Layer(new LayerProgress("aaa", TransferPhase.Complete, 0, 0));
        Assert.Equal(
            "latest: Pulling from library/busybox\naaa: Pulling fs layer\nbbb: Pulling fs layer\n\u001b[2A\r\u001b[2Kaaa: Pull complete\u001b[2B\r",
            output.ToString());
    }
}
