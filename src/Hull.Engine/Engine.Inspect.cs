using System.Globalization;
using System.Text.Json.Nodes;
using Hull.Engine.Containers;
using Hull.Engine.Networks;

namespace Hull.Engine;

/// <summary>The document of <c>inspect</c>, in the shape of Docker's API.</summary>
public sealed partial class Engine
{
    private const string NoTime = "0001-01-01T00:00:00Z";

    /// <summary>Everything about a container. Members that hull has nothing for are there with Docker's empty values, so that
    /// templates and clients find them.</summary>
    public JsonObject Inspect(ContainerId id)
    {
        ContainerStatus status = Status(id);
        ContainerConfig config = Containers.ReadConfig(id);
        string directory = Paths.ContainerDirectory(id);
        string managed = Paths.ContainerDirectory(NamespaceModes.Joined(config.Host.NetworkMode) ?? id);
        return new JsonObject
        {
            ["Id"] = id.Hex,
            ["Created"] = Time(config.Created),
            ["Path"] = config.Args[0],
            ["Args"] = Texts(config.Args, from: 1),
            ["State"] = State(status),
            ["Image"] = config.ImageId.ToString(),
            ["ResolvConfPath"] = managed + "/resolv.conf",
            ["HostnamePath"] = managed + "/hostname",
            ["HostsPath"] = managed + "/hosts",
            ["LogPath"] = Logs.LogOptions.Parse(config.Host.LogConfig).Keep ? Paths.LogFile(id) : "",
            ["Name"] = "/" + status.Name,
            ["RestartCount"] = status.RestartCount,
            ["Driver"] = "overlay2",
            ["Platform"] = "linux",
            ["MountLabel"] = "",
            ["ProcessLabel"] = "",
            ["AppArmorProfile"] = AppArmor.Describe(SpecBuilder.SecurityOf(config).AppArmor, config.Host.Privileged),
            ["ExecIDs"] = null,
            ["HostConfig"] = HostConfigDocument.Of(config, id, ContainerLinks.Describe(Containers, config, status.Name)),
            ["GraphDriver"] = new JsonObject
            {
                ["Name"] = "overlay2",
                ["Data"] = new JsonObject
                {
                    ["LowerDir"] = string.Join(':', LayerDirectories(config)),
                    ["UpperDir"] = directory + "/upper",
                    ["WorkDir"] = directory + "/work",
                },
            },
            ["Mounts"] = MountPoints(config),
            ["Config"] = Config(config),
            ["NetworkSettings"] = NetworkSettingsDocument.Of(config, status, status.IsLive ? Networks.StateOf(id.Hex) : null),
        };
    }

    private static JsonObject State(ContainerStatus status) => new()
    {
        ["Status"] = status.State.Name(),
        ["Running"] = status.IsLive,
        ["Paused"] = status.State == ContainerState.Paused,
        ["Restarting"] = status.State == ContainerState.Restarting,
        ["OOMKilled"] = status.OomKilled,
        ["Dead"] = status.State == ContainerState.Dead,
        ["Pid"] = status.Pid,
        ["ExitCode"] = status.ExitCode,
        ["Error"] = status.Error ?? (status.OomKilled ? $"killed for memory: {status.OomLimit ?? "the host's memory ran out"}" : ""),
        ["StartedAt"] = Time(status.Started),
        ["FinishedAt"] = Time(status.Finished),
    };

    private static JsonObject Config(ContainerConfig config)
    {
        PayloadConfig payload = config.Payload;
        return new JsonObject
        {
            ["Hostname"] = config.Hostname,
            ["Domainname"] = payload.Domainname ?? "",
            ["User"] = payload.User ?? "",
            ["AttachStdin"] = payload.AttachStdin,
            ["AttachStdout"] = payload.AttachStdout,
            ["AttachStderr"] = payload.AttachStderr,
            ["ExposedPorts"] = Set(payload.ExposedPorts),
            ["Tty"] = payload.Tty,
            ["OpenStdin"] = payload.OpenStdin,
            ["StdinOnce"] = payload.StdinOnce,
            ["Env"] = Texts(payload.Env ?? []),
            ["Cmd"] = payload.Command is { } command ? Texts(command) : null,
            ["Image"] = config.Image,
            [nameof(payload.Volumes)] = Set(payload.Volumes),
            ["WorkingDir"] = payload.WorkingDirectory ?? "",
            ["Entrypoint"] = payload.Entrypoint is { } entrypoint ? Texts(entrypoint) : null,
            ["OnBuild"] = null,
            ["Labels"] = Map(payload.Labels),
            ["StopSignal"] = payload.StopSignal ?? "SIGTERM",
            ["StopTimeout"] = payload.StopTimeout,
        };
    }

    private JsonArray MountPoints(ContainerConfig config)
    {
        JsonArray points = [];
        foreach (MountConfig mount in SpecBuilder.InOrder(config.Mounts ?? []))
        {
            // Docker lists --tmpfs in HostConfig.Tmpfs alone.
            if (mount.Origin == MountOrigin.TmpfsFlag)
            {
                continue;
            }

            JsonObject point = new() { ["Type"] = mount.Kind switch { MountKind.Bind => "bind", MountKind.Volume => "volume", _ => "tmpfs" } };
            if (mount.Kind == MountKind.Volume)
            {
                point["Name"] = mount.Source;
                point["Source"] = Volumes.DataDirectory(mount.Source!);
            }
            else
            {
                point["Source"] = mount.Source ?? "";
            }

            point["Destination"] = mount.Target;
            if (mount.Kind == MountKind.Volume)
            {
                point["Driver"] = "local";
            }

            point["Mode"] = mount.Mode ?? (mount.Kind == MountKind.Volume ? "z" : "");
            point["RW"] = !mount.ReadOnly;
            point["Propagation"] = mount.Kind == MountKind.Bind ? mount.Propagation ?? "rprivate" : "";
            points.Add((JsonNode)point);
        }

        return points;
    }

    private static string Time(DateTimeOffset? time) =>
        time is { } value ? value.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fffffff'Z'", CultureInfo.InvariantCulture) : NoTime;

    internal static JsonArray Texts(IReadOnlyList<string> texts, int from = 0)
    {
        JsonArray array = [];
        for (int i = from; i < texts.Count; i++)
        {
            array.Add((JsonNode?)JsonValue.Create(texts[i]));
        }

        return array;
    }

    internal static JsonObject Map(IReadOnlyDictionary<string, string>? map)
    {
        JsonObject result = [];
        foreach ((string key, string value) in map ?? new Dictionary<string, string>())
        {
            result[key] = value;
        }

        return result;
    }

    private static JsonObject? Set(IReadOnlyList<string>? names)
    {
        if (names is not { Count: > 0 })
        {
            return null;
        }

        JsonObject result = [];
        foreach (string name in names)
        {
            result[name] = new JsonObject();
        }

        return result;
    }
}
