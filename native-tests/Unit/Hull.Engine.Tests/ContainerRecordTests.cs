using System.Text.Json;
using Hull.Engine.Containers;
using Hull.Networking.Endpoints;
using Hull.Oci;

namespace Hull.Engine.Tests;

public class ContainerRecordTests
{
    [Fact]
    public void ConfigCodec_EveryField_IsWrittenAndReadAsTheSerializerWould()
    {
        ContainerConfig full = FullConfig();

        byte[] written = ConfigCodec.Write(full);

        ContainerJson serializer = new(new JsonSerializerOptions(ContainerJson.Default.Options) { Encoder = MinimalJsonEncoder.Instance });
        Assert.Equal(JsonSerializer.Serialize(full, serializer.ContainerConfig), System.Text.Encoding.UTF8.GetString(written));
        Assert.Equal(written, ConfigCodec.Write(ConfigCodec.Read(written)));
        // No property of any record was left at its default above, so none is forgotten in the codec.
        AssertNothingIsDefault(full);
    }

    [Fact]
    public void ConfigCodec_UnknownFields_AreSkipped()
    {
        ContainerConfig config = TemporaryStore.Config();
        string text = System.Text.Encoding.UTF8.GetString(ConfigCodec.Write(config));

        ContainerConfig read = ConfigCodec.Read(System.Text.Encoding.UTF8.GetBytes("{\"future\":{\"a\":[1,{}]}," + text[1..]));

        Assert.Equal(config.Id, read.Id);
    }

    [Theory]
    [InlineData("")]
    [InlineData("[]")]
    [InlineData("{}")]
    [InlineData("{\"id\":\"../x\"}")]
    [InlineData("{\"args\":\"sh\"}")]
    public void ConfigCodec_Damaged_IsAJsonError(string text) =>
        Assert.ThrowsAny<JsonException>(() => ConfigCodec.Read(System.Text.Encoding.UTF8.GetBytes(text)));

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

    private static void AssertNothingIsDefault(object record)
    {
        foreach (System.Reflection.PropertyInfo property in record.GetType().GetProperties())
        {
            object? value = property.GetValue(record);
            if (property.SetMethod is null || property.Name == "EqualityContract" || property.IsDefined(typeof(System.Text.Json.Serialization.JsonIgnoreAttribute), false))
            {
                if (property.Name is not ("Kind" or "Soft" or "Hard" or "Rate"))
                {
                    continue;
                }
            }

            object? nothing = property.PropertyType.IsValueType ? Activator.CreateInstance(property.PropertyType) : null;
            Assert.False(Equals(value, nothing), $"{record.GetType().Name}.{property.Name}");
            if (value is System.Collections.IEnumerable items and not string)
            {
                foreach (object item in items)
                {
                    if (item.GetType().Namespace is "Hull.Engine.Containers" or "Hull.Networking.Endpoints")
                    {
                        AssertNothingIsDefault(item);
                    }
                }
            }
            else if (value!.GetType() is { IsClass: true, Namespace: "Hull.Engine.Containers" })
            {
                AssertNothingIsDefault(value);
            }
        }
    }

    private static ContainerConfig FullConfig()
    {
        Dictionary<string, string> map = new() { ["key"] = "value \"quoted\" \u00e9\n", ["b"] = "" };
        DeviceRate[] rates = [new DeviceRate { Path = "/dev/sda", Rate = 10 }];
        return TemporaryStore.Config() with
        {
            Hostname = "box",
            Mounts = [FullMount()],
            Payload = new PayloadConfig
            {
                Entrypoint = ["a"],
                Command = ["b", ""],
                Env = ["A=1"],
                WorkingDirectory = "/w",
                User = "u",
                Hostname = "h",
                Domainname = "d",
                Labels = map,
                Tty = true,
                OpenStdin = true,
                StdinOnce = true,
                AttachStdin = true,
                AttachStdout = true,
                AttachStderr = true,
                StopSignal = "TERM",
                StopTimeout = 3,
                Volumes = ["/v"],
                ExposedPorts = ["80/tcp"],
            },
            Host = new HostConfig
            {
                Mounts = [FullMount()],
                VolumesFrom = ["x:ro"],
                ReadonlyRootfs = true,
                CapAdd = ["A"],
                CapDrop = ["B"],
                Privileged = true,
                SecurityOpt = ["s"],
                Devices = [DeviceConfig.Parse("/dev/null")],
                DeviceCgroupRules = ["c 1:1 r"],
                Ulimits = [new Ulimit { Name = "nofile", Soft = 1, Hard = 2 }],
                Sysctls = map,
                GroupAdd = ["g"],
                Init = true,
                PidMode = "host",
                IpcMode = "host",
                UtsMode = "host",
                CgroupnsMode = "host",
                UsernsMode = "host",
                NetworkMode = "host",
                Endpoints =
                [
                    new EndpointSettings
                    {
                        Network = "n", NetworkName = "net", IPv4 = "10.0.0.2", IPv6 = "fd00::2", MacAddress = "02:42:00:00:00:01",
                        Aliases = ["a"], Links = ["web:db"], Options = map, GatewayPriority = 4,
                    },
                ],
                Publish = ["80:80"],
                PublishAll = true,
                CgroupParent = "/p",
                Resources = new Resources
                {
                    Memory = 1,
                    MemoryReservation = 2,
                    MemorySwap = 3,
                    MemorySwappiness = 4,
                    OomKillDisable = true,
                    NanoCpus = 5,
                    CpuShares = 6,
                    CpuPeriod = 7,
                    CpuQuota = 8,
                    CpuRealtimePeriod = 9,
                    CpuRealtimeRuntime = 10,
                    CpusetCpus = "0",
                    CpusetMems = "0",
                    PidsLimit = 11,
                    BlkioWeight = 12,
                    BlkioWeightDevice = rates,
                    DeviceReadBps = rates,
                    DeviceWriteBps = rates,
                    DeviceReadIops = rates,
                    DeviceWriteIops = rates,
                },
                OomScoreAdj = 5,
                ShmSize = 6,
                RestartPolicy = RestartPolicy.Parse("on-failure:3"),
                LogConfig = new LogConfig { Driver = "json-file", Options = map },
                AutoRemove = true,
                CidFile = "/c",
                Annotations = map,
                ExtraHosts = ["a:1.1.1.1"],
                Dns = ["1.1.1.1"],
                DnsOptions = ["x"],
                DnsSearch = ["y"],
                MaskedPaths = ["/m"],
                ReadonlyPaths = ["/r"],
            },
        };
    }

    private static MountConfig FullMount() => new()
    {
        Kind = MountKind.Tmpfs,
        Target = "/t",
        Source = "s",
        Origin = MountOrigin.Image,
        ReadOnly = true,
        Propagation = "rslave",
        NonRecursive = true,
        NoCopy = true,
        Subpath = "sub",
        Anonymous = true,
        TmpfsSize = 1,
        TmpfsMode = 2,
        TmpfsOptions = ["exec"],
        Mode = "ro",
    };
}
