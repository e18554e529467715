using System.Text.Json;
using System.Text.Json.Nodes;
using Hull.Engine.Containers;
using Hull.Linux;
using Hull.Oci;
using Hull.Oci.RuntimeSpec;

namespace Hull.Engine.Tests;

public class SpecBuilderTests
{
    private static readonly HullPaths Paths = new("/data", "/exec");
    private static readonly ContainerId Id = ContainerId.Parse(new string('a', 64));
    private static readonly ContainerId Other = ContainerId.Parse(new string('b', 64));

    private static readonly SpecHost Host = new()
    {
        Capabilities = CapabilitySet.AllNamed,
        InitOf = id => id == Other ? 4321 : throw EngineException.Conflict("not running"),
        Stat = path => path switch
        {
            "/dev/kvm" => Device(FileType.CharacterDevice, 10, 232),
            "/dev/sda" => Device(FileType.BlockDevice, 8, 0),
            "/dev/snd" => Device(FileType.Directory, 0, 0),
            "/etc/passwd" => Device(FileType.Regular, 0, 0),
            _ => null,
        },
        StatEntry = path => path.EndsWith("/seq", StringComparison.Ordinal) ? Device(FileType.CharacterDevice, 116, 1) : Device(FileType.Regular, 0, 0),
        Entries = path => path is "/dev" or "/dev/snd" ? ["seq", "shm", "by-path"] : [],
        AppArmorProfile = asked => asked,
        SharedMemory = (id, fresh) => fresh && id == Id ? "own" : !fresh && id == Other ? "other" : throw new InvalidOperationException(),
    };

    [Fact]
    public void Build_Defaults_AreTheGoldenSpec() => AssertGolden("default", Spec());

    [Fact]
    public void Build_Privileged_IsTheGoldenSpec() => AssertGolden("privileged", Spec(new HostConfig { Privileged = true }));

    [Fact]
    public void Build_EverythingAsked_IsTheGoldenSpec() => AssertGolden("everything", Spec(
        new HostConfig
        {
            ReadonlyRootfs = true,
            CapAdd = ["net_admin"],
            CapDrop = ["CAP_CHOWN", "MKNOD"],
            SecurityOpt = ["no-new-privileges", "seccomp=unconfined", "apparmor=mine"],
            Devices = [DeviceConfig.Parse("/dev/kvm:/dev/virt:rw"), DeviceConfig.Parse("/dev/snd")],
            DeviceCgroupRules = ["c 42:* rmw"],
            Ulimits = [Ulimit.Parse("nofile=1024:-1")],
            Sysctls = new Dictionary<string, string> { ["net.core.somaxconn"] = "512", ["kernel.shmmax"] = "1000" },
            PidMode = "container:" + Other.Hex,
            CgroupnsMode = "host",
            CgroupParent = "/apps/one/",
            Resources = new Resources { Memory = 64 << 20, NanoCpus = 1_500_000_000, CpuShares = 512, CpusetCpus = "0-1", PidsLimit = 100, BlkioWeight = 300 },
            OomScoreAdj = -500,
            ShmSize = 1 << 20,
            Annotations = new Dictionary<string, string> { ["owner"] = "me" },
        },
        new PayloadConfig { Tty = true, Env = ["PATH=/bin", "A=b"], WorkingDirectory = "/srv//x/..", Domainname = "example.org" },
        [
            MountConfig.ParseVolume("/srv/data:/data/deep/er:ro"),
            MountConfig.ParseVolume("cache:/data:rw"),
            MountConfig.ParseTmpfs("/run:size=64m,exec,mode=755"),
            MountConfig.ParseMount("type=bind,src=/mnt,dst=/mnt,bind-propagation=rslave,bind-recursive=disabled"),
        ]));

    [Fact]
    public void Build_HostModes_ShareAndLeaveOut()
    {
        Spec spec = Spec(new HostConfig { NetworkMode = "host", PidMode = "host", IpcMode = "host", UtsMode = "host", CgroupnsMode = "host" });

        Assert.Equal(["mount"], spec.Linux!.Namespaces!.Select(n => n.Type));
        Assert.Null(spec.Hostname);
        Assert.Null(spec.Linux.Sysctl);
        Assert.Equal("/dev/shm", spec.Mounts!.Single(m => m.Destination == "/dev/shm").Source);
        Assert.Equal("mqueue", spec.Mounts!.Single(m => m.Destination == "/dev/mqueue").Type);
    }

    [Fact]
    public void Build_NetworkOfAContainer_UsesItsNamespaceAndItsFiles()
    {
        Spec spec = Spec(new HostConfig { NetworkMode = "container:" + Other.Hex });

        Assert.Equal("/proc/4321/ns/net", spec.Linux!.Namespaces!.Single(n => n.Type == "network").Path);
        Assert.Equal($"/data/containers/{Other.Hex}/hosts", spec.Mounts!.Single(m => m.Destination == "/etc/hosts").Source);
    }

    [Theory]
    [InlineData("shareable", "own")]
    [InlineData("container:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb", "other")]
    public void Build_SharedIpc_SharesTheMemoryToo(string mode, string source) =>
        Assert.Equal(source, Spec(new HostConfig { IpcMode = mode }).Mounts!.Single(m => m.Destination == "/dev/shm").Source);

    [Fact]
    public void Build_IpcNone_HasNoSharedMemory() =>
        Assert.DoesNotContain(Spec(new HostConfig { IpcMode = "none" }).Mounts!, m => m.Destination == "/dev/shm");

    [Fact]
    public void Build_UserNamespace_MapsAndKeepsTheMounts()
    {
        Spec spec = Spec(new HostConfig { UsernsMode = "remap:0:100000:65536", NetworkMode = "none" });

        Assert.Contains(spec.Linux!.Namespaces!, n => n.Type == "user");
        Assert.Equal(new IdMapping { ContainerID = 0, HostID = 100000, Size = 65536 }, Assert.Single(spec.Linux.UidMappings!));
        Assert.Equal("sysfs", spec.Mounts!.Single(m => m.Destination == "/sys").Type);
        Assert.False(spec.Linux.Sysctl!.ContainsKey("net.ipv4.ping_group_range"));
    }

    [Fact]
    public void Build_OwnMountAtADefaultsPlace_ReplacesIt()
    {
        Spec spec = Spec(mounts: [MountConfig.ParseTmpfs("/dev/shm:size=1m"), MountConfig.ParseVolume("/x:/etc/hosts")]);

        Assert.Contains("size=1048576", spec.Mounts!.Single(m => m.Destination == "/dev/shm").Options!);
        Assert.Equal("/x", spec.Mounts!.Single(m => m.Destination == "/etc/hosts").Source);
    }

    [Fact]
    public void Build_BindOverDev_ReplacesAllBelowIt() =>
        Assert.DoesNotContain(Spec(mounts: [MountConfig.ParseVolume("/dev:/dev")]).Mounts!, m => m.Destination.StartsWith("/dev/", StringComparison.Ordinal));

    [Fact]
    public void Build_SharedPropagation_MakesTheRootShared() =>
        Assert.Equal("shared", Spec(mounts: [MountConfig.ParseVolume("/x:/x:rshared")]).Linux!.RootfsPropagation);

    [Fact]
    public void Build_Capabilities_InheritableAndAmbientAreEmpty_CVE_2022_24769()
    {
        Capabilities capabilities = Spec(new HostConfig { Privileged = true }).Process!.Capabilities!;

        Assert.Null(capabilities.Inheritable);
        Assert.Null(capabilities.Ambient);
    }

    [Theory]
    [InlineData("apparmor=mine", false, "host's mine")]
    [InlineData("apparmor=mine", true, "host's mine")]
    [InlineData("apparmor=unconfined", false, null)]
    [InlineData("no-new-privileges", false, "host's default")]
    [InlineData("no-new-privileges", true, null)]
    public void Build_AppArmorProfile_IsTheHostsAnswer(string option, bool privileged, string? expected)
    {
        SpecHost host = Host with { AppArmorProfile = static asked => "host's " + (asked ?? "default") };

        Spec spec = SpecBuilder.Build(Config(new HostConfig { SecurityOpt = [option], Privileged = privileged }, null, null), Paths, host);

        Assert.Equal(expected, spec.Process!.ApparmorProfile);
    }

    [Fact]
    public void Build_NoDeviceAsked_StillDeniesByDefault_GHSA_g54h_m393_cpwq()
    {
        DeviceRule first = Spec().Linux!.Resources!.Devices![0];

        Assert.Equal((false, null, "rwm"), (first.Allow, first.Type, first.Access));
    }

    [Theory]
    [InlineData("/dev/nothing", "no such file or directory")]
    [InlineData("/etc/passwd", "not a device node")]
    public void Build_DeviceThatIsNone_SaysSo(string path, string words) =>
        Assert.Contains(words, Assert.Throws<EngineException>(() => Spec(new HostConfig { Devices = [DeviceConfig.Parse(path)] })).Message, StringComparison.Ordinal);

    [Fact]
    public void Build_UnknownCapability_NamesTheNearest() =>
        Assert.Contains("did you mean NET_ADMIN?",
            Assert.Throws<EngineException>(() => Spec(new HostConfig { CapAdd = ["NET_ADMN"] })).Message, StringComparison.Ordinal);

    [Fact]
    public void SecurityOf_Privileged_IsUnconfinedUnlessAProfileIsAsked()
    {
        Assert.False(SpecBuilder.SecurityOf(Config(new HostConfig { Privileged = true })).DefaultSeccomp);
        Assert.True(SpecBuilder.SecurityOf(Config()).DefaultSeccomp);
        Assert.Equal("{}", SpecBuilder.SecurityOf(Config(new HostConfig { SecurityOpt = ["seccomp={}"] })).SeccompProfile);
    }

    [Fact]
    public void Build_DefaultMasks_AreTheCorpusOnes_CVE_2017_16539_CVE_2018_10892()
    {
        IReadOnlyList<string> masked = Spec().Linux!.MaskedPaths!;

        foreach (string path in (string[])["/proc/acpi", "/proc/scsi", "/proc/kcore", "/proc/keys", "/proc/interrupts", "/sys/firmware", "/sys/devices/virtual/powercap"])
        {
            Assert.Contains(path, masked);
        }
    }

    private static ContainerConfig Config(HostConfig? host = null, PayloadConfig? payload = null, IReadOnlyList<MountConfig>? mounts = null) => new()
    {
        Id = Id,
        Name = "web",
        Created = DateTimeOffset.UnixEpoch,
        Image = "busybox",
        ImageId = Digest.Of("image"u8),
        Layers = [],
        Args = ["sh", "-c", "true"],
        Payload = payload ?? new PayloadConfig(),
        Host = host ?? new HostConfig(),
        Mounts = mounts,
        Hostname = "box",
    };

    private static Spec Spec(HostConfig? host = null, PayloadConfig? payload = null, IReadOnlyList<MountConfig>? mounts = null) =>
        SpecBuilder.Build(Config(host, payload, mounts), Paths, Host);

    private static FileMetadata Device(FileType type, uint major, uint minor) => new()
    {
        Mode = (uint)type | 0x1B0,
        UserId = 0,
        GroupId = 0,
        Size = 0,
        Inode = 1,
        Links = 1,
        Blocks = 0,
        ModifiedSeconds = 0,
        ModifiedNanoseconds = 0,
        DeviceMajor = 0,
        DeviceMinor = 0,
        RawDeviceMajor = major,
        RawDeviceMinor = minor,
        MountId = 0,
    };

    /// <summary>Compares with <c>Golden/NAME.json</c>; HULL_WRITE_GOLDEN=DIR writes what it should be.</summary>
    private static void AssertGolden(string name, Spec spec)
    {
        string actual = JsonNode.Parse(JsonSerializer.Serialize(spec, RuntimeSpecJson.Default.Spec))!
            .ToJsonString(new JsonSerializerOptions { WriteIndented = true, TypeInfoResolver = new System.Text.Json.Serialization.Metadata.DefaultJsonTypeInfoResolver() }) + "\n";
        if (Environment.GetEnvironmentVariable("HULL_WRITE_GOLDEN") is { Length: > 0 } directory)
        {
            File.WriteAllText($"{directory}/{name}.json", actual);
        }

        Assert.Equal(File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "Golden", name + ".json")), actual);
    }
}
