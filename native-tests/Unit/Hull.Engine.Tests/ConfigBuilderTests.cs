using Hull.Engine.Containers;
using Hull.Oci;
using Hull.Oci.ImageSpec;

namespace Hull.Engine.Tests;

public class ConfigBuilderTests
{
    private static readonly ImageDefaults Image = new()
    {
        Entrypoint = ["/entry"],
        Cmd = ["one", "two"],
        Env = ["PATH=/image", "KEEP=1", "nonsense"],
        User = "app",
        WorkingDirectory = "srv",
        StopSignal = "SIGQUIT",
        Labels = new Dictionary<string, string> { ["a"] = "image", ["b"] = "image" },
        ExposedPorts = new Dictionary<string, EmptyObject> { ["80/tcp"] = new() },
    };

    [Fact]
    public void Build_NothingAsked_IsTheImages()
    {
        ContainerConfig config = Build(new PayloadConfig());

        Assert.Equal(["/entry", "one", "two"], config.Args);
        Assert.Equal(["PATH=/image", "KEEP=1"], config.Payload.Env!);
        Assert.Equal(("app", "/srv", "SIGQUIT"), (config.Payload.User, config.Payload.WorkingDirectory, config.Payload.StopSignal));
        Assert.Equal(config.Id.Short, config.Hostname);
        Assert.Equal(["80/tcp"], config.Payload.ExposedPorts!);
    }

    [Fact]
    public void Build_CommandAsked_KeepsTheEntrypoint() => Assert.Equal(["/entry", "x"], Build(new PayloadConfig { Command = ["x"] }).Args);

    [Fact]
    public void Build_EntrypointAsked_DropsTheImagesCommand() => Assert.Equal(["/own"], Build(new PayloadConfig { Entrypoint = ["/own"] }).Args);

    [Fact]
    public void Build_EntrypointReset_LeavesTheCommandAsked() =>
        Assert.Equal(["sh"], Build(new PayloadConfig { Entrypoint = [""], Command = ["sh"] }).Args);

    [Fact]
    public void Build_NothingToRun_SaysSo()
    {
        EngineException error = Assert.Throws<EngineException>(() => Build(new PayloadConfig(), new ImageDefaults()));
        Assert.Contains("no command specified", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Build_Environment_LaterWinsAndBareKeyRemoves() =>
        Assert.Equal(["A=2", "PATH=/image"], Build(new PayloadConfig { Env = ["A=1", "A=2", "KEEP"] }).Payload.Env!);

    [Fact]
    public void Build_Labels_TheAskedOnesWin()
    {
        IReadOnlyDictionary<string, string> labels = Build(new PayloadConfig { Labels = new Dictionary<string, string> { ["a"] = "mine" } }).Payload.Labels!;

        Assert.Equal(("mine", "image"), (labels["a"], labels["b"]));
    }

    [Fact]
    public void Build_ImageVolume_IsAnAnonymousVolume()
    {
        ImageDefaults image = Image with { Volumes = new Dictionary<string, EmptyObject> { ["/data/"] = new(), ["cache"] = new() } };

        ContainerConfig config = Build(new PayloadConfig(), image, new HostConfig { Mounts = [MountConfig.ParseVolume("/x:/data")] });

        Assert.Equal(["/data", "/cache"], config.Mounts!.Select(m => m.Target));
        MountConfig volume = config.Mounts![1];
        Assert.True(volume.Anonymous);
        Assert.Equal(64, volume.Source!.Length);
    }

    [Fact]
    public void Build_ImageVolumeWithDots_StaysInside_CVE_2022_23648()
    {
        ImageDefaults image = Image with { Volumes = new Dictionary<string, EmptyObject> { ["/../../../../etc/x"] = new() } };

        Assert.Equal("/etc/x", Assert.Single(Build(new PayloadConfig(), image).Mounts!).Target);
    }

    [Theory]
    [InlineData("/proc")]
    [InlineData("/proc/self/attr")]
    [InlineData("/../..")]
    [InlineData("/a\nb")]
    public void Build_HostileImageVolume_IsRefused_CVE_2019_16884(string path)
    {
        ImageDefaults image = Image with { Volumes = new Dictionary<string, EmptyObject> { [path] = new() } };

        Assert.Throws<EngineException>(() => Build(new PayloadConfig(), image));
    }

    [Fact]
    public void Build_HostileImageStrings_AreRefused_CVE_2022_4318()
    {
        Assert.Throws<EngineException>(() => Build(new PayloadConfig(), Image with { User = "root\nevil:x:0:0" }));
        Assert.Throws<EngineException>(() => Build(new PayloadConfig(), Image with { WorkingDirectory = "/a\nb" }));
        Assert.Throws<EngineException>(() => Build(new PayloadConfig(), Image with { Env = ["A=\0B=1"] }));
        Assert.Throws<EngineException>(() => Build(new PayloadConfig(), Image with { Cmd = ["a\0b"] }));
    }

    [Fact]
    public void Build_UnknownStopSignalOfTheImage_IsTheDefault() => Assert.Null(Build(new PayloadConfig(), Image with { StopSignal = "SIGNOPE" }).Payload.StopSignal);

    [Fact]
    public void Build_VolumesFrom_TakesAllButTmpfs()
    {
        ContainerConfig other = Build(new PayloadConfig(), host: new HostConfig
        {
            Mounts = [MountConfig.ParseVolume("data:/data"), MountConfig.ParseTmpfs("/run"), MountConfig.ParseVolume("/x:/mine")],
        });

        ContainerConfig config = Build(new PayloadConfig(), host: new HostConfig { Mounts = [MountConfig.ParseVolume("/y:/mine")] }, volumesFrom: [(other, true)]);

        Assert.Equal([("/mine", "/y", false), ("/data", "data", true)], config.Mounts!.Select(m => (m.Target, m.Source!, m.ReadOnly)));
    }

    private static ContainerConfig Build(
        PayloadConfig payload, ImageDefaults? image = null, HostConfig? host = null, IReadOnlyList<(ContainerConfig, bool?)>? volumesFrom = null) =>
        ConfigBuilder.Build(
            new CreateRequest { Image = "app", Payload = payload, Host = host ?? new HostConfig() },
            new ImageFacts(Digest.Of("image"u8), [Digest.Of("layer"u8)], image ?? Image),
            ContainerId.New(), "web", DateTimeOffset.UnixEpoch, volumesFrom ?? [], hostname: null);
}
