using System.Text.Json.Nodes;
using Hull.Engine.Containers;
using Hull.Engine.Networks;

namespace Hull.Engine;

/// <summary>The HostConfig member of <c>inspect</c>, in the shape of Docker's API.</summary>
internal static class HostConfigDocument
{
    public static JsonObject Of(ContainerConfig config, ContainerId id, IReadOnlyList<string> links)
    {
        HostConfig host = config.Host;
        Resources resources = host.Resources ?? new Resources();
        return new JsonObject
        {
            ["Binds"] = Binds(host),
            ["ContainerIDFile"] = host.CidFile ?? "",
            ["LogConfig"] = new JsonObject
            {
                ["Type"] = host.LogConfig?.Driver is { Length: > 0 } driver ? driver : "json-file",
                ["Config"] = Engine.Map(host.LogConfig?.Options),
            },
            ["NetworkMode"] = host.NetworkMode is { Length: > 0 } network ? network : "bridge",
            ["PortBindings"] = NetworkSettingsDocument.Bindings(host),
            ["RestartPolicy"] = new JsonObject
            {
                ["Name"] = host.RestartPolicy?.Name ?? "no",
                ["MaximumRetryCount"] = host.RestartPolicy?.MaximumRetryCount ?? 0,
            },
            ["AutoRemove"] = host.AutoRemove,
            ["VolumeDriver"] = "",
            ["VolumesFrom"] = TextsOrNull(host.VolumesFrom),
            ["ConsoleSize"] = new JsonArray((JsonNode)0, (JsonNode)0),
            ["Annotations"] = host.Annotations is { Count: > 0 } annotations ? Engine.Map(annotations) : null,
            ["CapAdd"] = TextsOrNull(host.CapAdd),
            ["CapDrop"] = TextsOrNull(host.CapDrop),
            ["CgroupnsMode"] = host.CgroupnsMode is { Length: > 0 } cgroupns ? cgroupns : "private",
            ["Dns"] = Engine.Texts(host.Dns ?? []),
            ["DnsOptions"] = Engine.Texts(host.DnsOptions ?? []),
            ["DnsSearch"] = Engine.Texts(host.DnsSearch ?? []),
            ["ExtraHosts"] = TextsOrNull(host.ExtraHosts),
            ["GroupAdd"] = TextsOrNull(host.GroupAdd),
            ["IpcMode"] = host.IpcMode is { Length: > 0 } ipc ? ipc : "private",
            ["Cgroup"] = "",
            ["Links"] = links.Count == 0 ? null : Engine.Texts(links),
            ["OomScoreAdj"] = host.OomScoreAdj ?? 0,
            ["PidMode"] = host.PidMode ?? "",
            ["Privileged"] = host.Privileged,
            ["PublishAllPorts"] = host.PublishAll,
            ["ReadonlyRootfs"] = host.ReadonlyRootfs,
            ["SecurityOpt"] = TextsOrNull(host.SecurityOpt),
            ["Tmpfs"] = Tmpfs(host),
            ["UTSMode"] = host.UtsMode ?? "",
            ["UsernsMode"] = host.UsernsMode ?? "",
            ["ShmSize"] = host.ShmSize is { } shm and > 0 ? shm : SpecDefaults.ShmSize,
            ["Sysctls"] = host.Sysctls is { Count: > 0 } sysctls ? Engine.Map(sysctls) : null,
            ["Runtime"] = "hull",
            ["Isolation"] = "",
            ["CpuShares"] = resources.CpuShares,
            ["Memory"] = resources.Memory,
            ["NanoCpus"] = resources.NanoCpus,
            ["CgroupParent"] = host.CgroupParent ?? "",
            ["BlkioWeight"] = resources.BlkioWeight,
            ["BlkioWeightDevice"] = Rates(resources.BlkioWeightDevice, "Weight"),
            ["BlkioDeviceReadBps"] = Rates(resources.DeviceReadBps, "Rate"),
            ["BlkioDeviceWriteBps"] = Rates(resources.DeviceWriteBps, "Rate"),
            ["BlkioDeviceReadIOps"] = Rates(resources.DeviceReadIops, "Rate"),
            ["BlkioDeviceWriteIOps"] = Rates(resources.DeviceWriteIops, "Rate"),
            ["CpuPeriod"] = resources.CpuPeriod,
            ["CpuQuota"] = resources.CpuQuota,
            ["CpuRealtimePeriod"] = resources.CpuRealtimePeriod,
            ["CpuRealtimeRuntime"] = resources.CpuRealtimeRuntime,
            ["CpusetCpus"] = resources.CpusetCpus ?? "",
            ["CpusetMems"] = resources.CpusetMems ?? "",
            ["Devices"] = Devices(host.Devices),
            ["DeviceCgroupRules"] = TextsOrNull(host.DeviceCgroupRules),
            ["DeviceRequests"] = null,
            ["MemoryReservation"] = resources.MemoryReservation,
            // What is in force: without --memory-swap a container may swap as much as it may use memory.
            ["MemorySwap"] = resources.MemorySwap != 0 ? resources.MemorySwap : Math.Min(resources.Memory, long.MaxValue / 2) * 2,
            ["MemorySwappiness"] = resources.MemorySwappiness,
            ["OomKillDisable"] = resources.OomKillDisable,
            ["PidsLimit"] = resources.PidsLimit != 0 ? resources.PidsLimit : null,
            ["Ulimits"] = Ulimits(host.Ulimits),
            ["Mounts"] = Mounts(host),
            ["Init"] = host.Init,
            ["MaskedPaths"] = host.Privileged ? null : Engine.Texts(host.MaskedPaths ?? SpecDefaults.MaskedPaths),
            ["ReadonlyPaths"] = host.Privileged ? null : Engine.Texts(host.ReadonlyPaths ?? SpecDefaults.ReadonlyPaths),
            // Docker has no such member; it says where the limits can be read.
            ["CgroupPath"] = HullPaths.CgroupPath(host.CgroupParent, id),
        };
    }

    private static JsonArray? TextsOrNull(IReadOnlyList<string>? texts) => texts is { Count: > 0 } ? Engine.Texts(texts) : null;

    private static JsonArray? Binds(HostConfig host)
    {
        JsonArray binds = [];
        foreach (MountConfig mount in host.Mounts ?? [])
        {
            if (mount is { Origin: MountOrigin.VolumeFlag, Source: { } source })
            {
                binds.Add((JsonNode?)JsonValue.Create(mount.Mode is null ? $"{source}:{mount.Target}" : $"{source}:{mount.Target}:{mount.Mode}"));
            }
        }

        return binds.Count > 0 ? binds : null;
    }

    private static JsonObject? Tmpfs(HostConfig host)
    {
        JsonObject result = [];
        foreach (MountConfig mount in host.Mounts ?? [])
        {
            if (mount.Origin == MountOrigin.TmpfsFlag)
            {
                result[mount.Target] = mount.Mode ?? "";
            }
        }

        return result.Count > 0 ? result : null;
    }

    private static JsonArray? Mounts(HostConfig host)
    {
        JsonArray result = [];
        foreach (MountConfig mount in host.Mounts ?? [])
        {
            if (mount.Origin == MountOrigin.MountFlag)
            {
                JsonObject entry = new()
                {
                    ["Type"] = mount.Kind switch { MountKind.Bind => "bind", MountKind.Volume => "volume", _ => "tmpfs" },
                    ["Source"] = mount.Source ?? "",
                    ["Target"] = mount.Target,
                };
                if (mount.ReadOnly)
                {
                    entry["ReadOnly"] = true;
                }

                result.Add((JsonNode)entry);
            }
        }

        return result.Count > 0 ? result : null;
    }

    private static JsonArray Devices(IReadOnlyList<DeviceConfig>? devices)
    {
        JsonArray result = [];
        foreach (DeviceConfig device in devices ?? [])
        {
            result.Add((JsonNode)new JsonObject
            {
                ["PathOnHost"] = device.HostPath,
                ["PathInContainer"] = device.ContainerPath,
                ["CgroupPermissions"] = device.Permissions,
            });
        }

        return result;
    }

    private static JsonArray Ulimits(IReadOnlyList<Ulimit>? ulimits)
    {
        JsonArray result = [];
        foreach (Ulimit ulimit in ulimits ?? [])
        {
            result.Add((JsonNode)new JsonObject { ["Name"] = ulimit.Name, ["Hard"] = ulimit.Hard, ["Soft"] = ulimit.Soft });
        }

        return result;
    }

    private static JsonArray? Rates(IReadOnlyList<DeviceRate>? rates, string member)
    {
        if (rates is null)
        {
            return null;
        }

        JsonArray result = [];
        foreach (DeviceRate rate in rates)
        {
            result.Add((JsonNode)new JsonObject { ["Path"] = rate.Path, [member] = rate.Rate });
        }

        return result;
    }
}
