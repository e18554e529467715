using System.Text.Json;
using Hull.Networking.Endpoints;
using Hull.Oci;

namespace Hull.Engine.Containers;

/// <summary>The host's half.</summary>
internal static partial class ConfigCodec
{
    private static void WriteHostConfig(Utf8JsonWriter json, HostConfig value)
    {
        RecordJson.Items(json, "mounts"u8, value.Mounts, WriteMountConfig);
        RecordJson.Texts(json, "volumesFrom"u8, value.VolumesFrom);
        RecordJson.Flag(json, "readonlyRootfs"u8, value.ReadonlyRootfs);
        RecordJson.Texts(json, "capAdd"u8, value.CapAdd);
        RecordJson.Texts(json, "capDrop"u8, value.CapDrop);
        RecordJson.Flag(json, "privileged"u8, value.Privileged);
        RecordJson.Texts(json, "securityOpt"u8, value.SecurityOpt);
        RecordJson.Items(json, "devices"u8, value.Devices, WriteDeviceConfig);
        RecordJson.Texts(json, "deviceCgroupRules"u8, value.DeviceCgroupRules);
        RecordJson.Items(json, "ulimits"u8, value.Ulimits, WriteUlimit);
        RecordJson.Map(json, "sysctls"u8, value.Sysctls);
        RecordJson.Texts(json, "groupAdd"u8, value.GroupAdd);
        RecordJson.Flag(json, "init"u8, value.Init);
        RecordJson.Text(json, "pidMode"u8, value.PidMode);
        RecordJson.Text(json, "ipcMode"u8, value.IpcMode);
        RecordJson.Text(json, "utsMode"u8, value.UtsMode);
        RecordJson.Text(json, "cgroupnsMode"u8, value.CgroupnsMode);
        RecordJson.Text(json, "usernsMode"u8, value.UsernsMode);
        RecordJson.Text(json, "networkMode"u8, value.NetworkMode);
        RecordJson.Items(json, "endpoints"u8, value.Endpoints, WriteEndpoint);
        RecordJson.Texts(json, "publish"u8, value.Publish);
        RecordJson.Flag(json, "publishAll"u8, value.PublishAll);
        RecordJson.Text(json, "cgroupParent"u8, value.CgroupParent);
        if (value.Resources is { } resources) { json.WriteStartObject("resources"u8); WriteResources(json, resources); json.WriteEndObject(); }
        RecordJson.Optional(json, "oomScoreAdj"u8, value.OomScoreAdj);
        RecordJson.Optional(json, "shmSize"u8, value.ShmSize);
        if (value.RestartPolicy is { } restartPolicy) { json.WriteStartObject("restartPolicy"u8); WriteRestartPolicy(json, restartPolicy); json.WriteEndObject(); }
        if (value.LogConfig is { } logConfig) { json.WriteStartObject("logConfig"u8); WriteLogConfig(json, logConfig); json.WriteEndObject(); }
        RecordJson.Flag(json, "autoRemove"u8, value.AutoRemove);
        RecordJson.Text(json, "cidFile"u8, value.CidFile);
        RecordJson.Map(json, "annotations"u8, value.Annotations);
        RecordJson.Texts(json, "extraHosts"u8, value.ExtraHosts);
        RecordJson.Texts(json, "dns"u8, value.Dns);
        RecordJson.Texts(json, "dnsOptions"u8, value.DnsOptions);
        RecordJson.Texts(json, "dnsSearch"u8, value.DnsSearch);
        RecordJson.Texts(json, "maskedPaths"u8, value.MaskedPaths);
        RecordJson.Texts(json, "readonlyPaths"u8, value.ReadonlyPaths);
    }

    private static HostConfig ReadHostConfig(ref Utf8JsonReader json)
    {
        RecordJson.Begin(ref json);
        IReadOnlyList<MountConfig>? mounts = null;
        IReadOnlyList<string>? volumesFrom = null;
        bool readonlyRootfs = false;
        IReadOnlyList<string>? capAdd = null;
        IReadOnlyList<string>? capDrop = null;
        bool privileged = false;
        IReadOnlyList<string>? securityOpt = null;
        IReadOnlyList<DeviceConfig>? devices = null;
        IReadOnlyList<string>? deviceCgroupRules = null;
        IReadOnlyList<Ulimit>? ulimits = null;
        IReadOnlyDictionary<string, string>? sysctls = null;
        IReadOnlyList<string>? groupAdd = null;
        bool init = false;
        string? pidMode = null;
        string? ipcMode = null;
        string? utsMode = null;
        string? cgroupnsMode = null;
        string? usernsMode = null;
        string? networkMode = null;
        IReadOnlyList<EndpointSettings>? endpoints = null;
        IReadOnlyList<string>? publish = null;
        bool publishAll = false;
        string? cgroupParent = null;
        Resources? resources = null;
        int? oomScoreAdj = null;
        long? shmSize = null;
        RestartPolicy? restartPolicy = null;
        LogConfig? logConfig = null;
        bool autoRemove = false;
        string? cidFile = null;
        IReadOnlyDictionary<string, string>? annotations = null;
        IReadOnlyList<string>? extraHosts = null;
        IReadOnlyList<string>? dns = null;
        IReadOnlyList<string>? dnsOptions = null;
        IReadOnlyList<string>? dnsSearch = null;
        IReadOnlyList<string>? maskedPaths = null;
        IReadOnlyList<string>? readonlyPaths = null;
        while (RecordJson.Next(ref json, out Utf8JsonReader key))
        {
            if (key.ValueTextEquals("mounts"u8)) { mounts = RecordJson.Items(ref json, ReadMountConfig); }
            else if (key.ValueTextEquals("volumesFrom"u8)) { volumesFrom = RecordJson.Texts(ref json); }
            else if (key.ValueTextEquals("readonlyRootfs"u8)) { readonlyRootfs = json.GetBoolean(); }
            else if (key.ValueTextEquals("capAdd"u8)) { capAdd = RecordJson.Texts(ref json); }
            else if (key.ValueTextEquals("capDrop"u8)) { capDrop = RecordJson.Texts(ref json); }
            else if (key.ValueTextEquals("privileged"u8)) { privileged = json.GetBoolean(); }
            else if (key.ValueTextEquals("securityOpt"u8)) { securityOpt = RecordJson.Texts(ref json); }
            else if (key.ValueTextEquals("devices"u8)) { devices = RecordJson.Items(ref json, ReadDeviceConfig); }
            else if (key.ValueTextEquals("deviceCgroupRules"u8)) { deviceCgroupRules = RecordJson.Texts(ref json); }
            else if (key.ValueTextEquals("ulimits"u8)) { ulimits = RecordJson.Items(ref json, ReadUlimit); }
            else if (key.ValueTextEquals("sysctls"u8)) { sysctls = RecordJson.Map(ref json); }
            else if (key.ValueTextEquals("groupAdd"u8)) { groupAdd = RecordJson.Texts(ref json); }
            else if (key.ValueTextEquals("init"u8)) { init = json.GetBoolean(); }
            else if (key.ValueTextEquals("pidMode"u8)) { pidMode = json.GetString(); }
            else if (key.ValueTextEquals("ipcMode"u8)) { ipcMode = json.GetString(); }
            else if (key.ValueTextEquals("utsMode"u8)) { utsMode = json.GetString(); }
            else if (key.ValueTextEquals("cgroupnsMode"u8)) { cgroupnsMode = json.GetString(); }
            else if (key.ValueTextEquals("usernsMode"u8)) { usernsMode = json.GetString(); }
            else if (key.ValueTextEquals("networkMode"u8)) { networkMode = json.GetString(); }
            else if (key.ValueTextEquals("endpoints"u8)) { endpoints = RecordJson.Items(ref json, ReadEndpoint); }
            else if (key.ValueTextEquals("publish"u8)) { publish = RecordJson.Texts(ref json); }
            else if (key.ValueTextEquals("publishAll"u8)) { publishAll = json.GetBoolean(); }
            else if (key.ValueTextEquals("cgroupParent"u8)) { cgroupParent = json.GetString(); }
            else if (key.ValueTextEquals("resources"u8)) { resources = ReadResources(ref json); }
            else if (key.ValueTextEquals("oomScoreAdj"u8)) { oomScoreAdj = json.GetInt32(); }
            else if (key.ValueTextEquals("shmSize"u8)) { shmSize = json.GetInt64(); }
            else if (key.ValueTextEquals("restartPolicy"u8)) { restartPolicy = ReadRestartPolicy(ref json); }
            else if (key.ValueTextEquals("logConfig"u8)) { logConfig = ReadLogConfig(ref json); }
            else if (key.ValueTextEquals("autoRemove"u8)) { autoRemove = json.GetBoolean(); }
            else if (key.ValueTextEquals("cidFile"u8)) { cidFile = json.GetString(); }
            else if (key.ValueTextEquals("annotations"u8)) { annotations = RecordJson.Map(ref json); }
            else if (key.ValueTextEquals("extraHosts"u8)) { extraHosts = RecordJson.Texts(ref json); }
            else if (key.ValueTextEquals("dns"u8)) { dns = RecordJson.Texts(ref json); }
            else if (key.ValueTextEquals("dnsOptions"u8)) { dnsOptions = RecordJson.Texts(ref json); }
            else if (key.ValueTextEquals("dnsSearch"u8)) { dnsSearch = RecordJson.Texts(ref json); }
            else if (key.ValueTextEquals("maskedPaths"u8)) { maskedPaths = RecordJson.Texts(ref json); }
            else if (key.ValueTextEquals("readonlyPaths"u8)) { readonlyPaths = RecordJson.Texts(ref json); }
            else { json.Skip(); }
        }

        return new HostConfig
        {
            Mounts = mounts,
            VolumesFrom = volumesFrom,
            ReadonlyRootfs = readonlyRootfs,
            CapAdd = capAdd,
            CapDrop = capDrop,
            Privileged = privileged,
            SecurityOpt = securityOpt,
            Devices = devices,
            DeviceCgroupRules = deviceCgroupRules,
            Ulimits = ulimits,
            Sysctls = sysctls,
            GroupAdd = groupAdd,
            Init = init,
            PidMode = pidMode,
            IpcMode = ipcMode,
            UtsMode = utsMode,
            CgroupnsMode = cgroupnsMode,
            UsernsMode = usernsMode,
            NetworkMode = networkMode,
            Endpoints = endpoints,
            Publish = publish,
            PublishAll = publishAll,
            CgroupParent = cgroupParent,
            Resources = resources,
            OomScoreAdj = oomScoreAdj,
            ShmSize = shmSize,
            RestartPolicy = restartPolicy,
            LogConfig = logConfig,
            AutoRemove = autoRemove,
            CidFile = cidFile,
            Annotations = annotations,
            ExtraHosts = extraHosts,
            Dns = dns,
            DnsOptions = dnsOptions,
            DnsSearch = dnsSearch,
            MaskedPaths = maskedPaths,
            ReadonlyPaths = readonlyPaths,
        };
    }

    private static void WriteResources(Utf8JsonWriter json, Resources value)
    {
        RecordJson.Number(json, "memory"u8, value.Memory);
        RecordJson.Number(json, "memoryReservation"u8, value.MemoryReservation);
        RecordJson.Number(json, "memorySwap"u8, value.MemorySwap);
        RecordJson.Optional(json, "memorySwappiness"u8, value.MemorySwappiness);
        RecordJson.Flag(json, "oomKillDisable"u8, value.OomKillDisable);
        RecordJson.Number(json, "nanoCpus"u8, value.NanoCpus);
        RecordJson.Number(json, "cpuShares"u8, value.CpuShares);
        RecordJson.Number(json, "cpuPeriod"u8, value.CpuPeriod);
        RecordJson.Number(json, "cpuQuota"u8, value.CpuQuota);
        RecordJson.Number(json, "cpuRealtimePeriod"u8, value.CpuRealtimePeriod);
        RecordJson.Number(json, "cpuRealtimeRuntime"u8, value.CpuRealtimeRuntime);
        RecordJson.Text(json, "cpusetCpus"u8, value.CpusetCpus);
        RecordJson.Text(json, "cpusetMems"u8, value.CpusetMems);
        RecordJson.Number(json, "pidsLimit"u8, value.PidsLimit);
        RecordJson.Number(json, "blkioWeight"u8, value.BlkioWeight);
        RecordJson.Items(json, "blkioWeightDevice"u8, value.BlkioWeightDevice, WriteDeviceRate);
        RecordJson.Items(json, "deviceReadBps"u8, value.DeviceReadBps, WriteDeviceRate);
        RecordJson.Items(json, "deviceWriteBps"u8, value.DeviceWriteBps, WriteDeviceRate);
        RecordJson.Items(json, "deviceReadIops"u8, value.DeviceReadIops, WriteDeviceRate);
        RecordJson.Items(json, "deviceWriteIops"u8, value.DeviceWriteIops, WriteDeviceRate);
    }

    private static Resources ReadResources(ref Utf8JsonReader json)
    {
        RecordJson.Begin(ref json);
        long memory = 0;
        long memoryReservation = 0;
        long memorySwap = 0;
        long? memorySwappiness = null;
        bool oomKillDisable = false;
        long nanoCpus = 0;
        long cpuShares = 0;
        long cpuPeriod = 0;
        long cpuQuota = 0;
        long cpuRealtimePeriod = 0;
        long cpuRealtimeRuntime = 0;
        string? cpusetCpus = null;
        string? cpusetMems = null;
        long pidsLimit = 0;
        int blkioWeight = 0;
        IReadOnlyList<DeviceRate>? blkioWeightDevice = null;
        IReadOnlyList<DeviceRate>? deviceReadBps = null;
        IReadOnlyList<DeviceRate>? deviceWriteBps = null;
        IReadOnlyList<DeviceRate>? deviceReadIops = null;
        IReadOnlyList<DeviceRate>? deviceWriteIops = null;
        while (RecordJson.Next(ref json, out Utf8JsonReader key))
        {
            if (key.ValueTextEquals("memory"u8)) { memory = json.GetInt64(); }
            else if (key.ValueTextEquals("memoryReservation"u8)) { memoryReservation = json.GetInt64(); }
            else if (key.ValueTextEquals("memorySwap"u8)) { memorySwap = json.GetInt64(); }
            else if (key.ValueTextEquals("memorySwappiness"u8)) { memorySwappiness = json.GetInt64(); }
            else if (key.ValueTextEquals("oomKillDisable"u8)) { oomKillDisable = json.GetBoolean(); }
            else if (key.ValueTextEquals("nanoCpus"u8)) { nanoCpus = json.GetInt64(); }
            else if (key.ValueTextEquals("cpuShares"u8)) { cpuShares = json.GetInt64(); }
            else if (key.ValueTextEquals("cpuPeriod"u8)) { cpuPeriod = json.GetInt64(); }
            else if (key.ValueTextEquals("cpuQuota"u8)) { cpuQuota = json.GetInt64(); }
            else if (key.ValueTextEquals("cpuRealtimePeriod"u8)) { cpuRealtimePeriod = json.GetInt64(); }
            else if (key.ValueTextEquals("cpuRealtimeRuntime"u8)) { cpuRealtimeRuntime = json.GetInt64(); }
            else if (key.ValueTextEquals("cpusetCpus"u8)) { cpusetCpus = json.GetString(); }
            else if (key.ValueTextEquals("cpusetMems"u8)) { cpusetMems = json.GetString(); }
            else if (key.ValueTextEquals("pidsLimit"u8)) { pidsLimit = json.GetInt64(); }
            else if (key.ValueTextEquals("blkioWeight"u8)) { blkioWeight = json.GetInt32(); }
            else if (key.ValueTextEquals("blkioWeightDevice"u8)) { blkioWeightDevice = RecordJson.Items(ref json, ReadDeviceRate); }
            else if (key.ValueTextEquals("deviceReadBps"u8)) { deviceReadBps = RecordJson.Items(ref json, ReadDeviceRate); }
            else if (key.ValueTextEquals("deviceWriteBps"u8)) { deviceWriteBps = RecordJson.Items(ref json, ReadDeviceRate); }
            else if (key.ValueTextEquals("deviceReadIops"u8)) { deviceReadIops = RecordJson.Items(ref json, ReadDeviceRate); }
            else if (key.ValueTextEquals("deviceWriteIops"u8)) { deviceWriteIops = RecordJson.Items(ref json, ReadDeviceRate); }
            else { json.Skip(); }
        }

        return new Resources
        {
            Memory = memory,
            MemoryReservation = memoryReservation,
            MemorySwap = memorySwap,
            MemorySwappiness = memorySwappiness,
            OomKillDisable = oomKillDisable,
            NanoCpus = nanoCpus,
            CpuShares = cpuShares,
            CpuPeriod = cpuPeriod,
            CpuQuota = cpuQuota,
            CpuRealtimePeriod = cpuRealtimePeriod,
            CpuRealtimeRuntime = cpuRealtimeRuntime,
            CpusetCpus = cpusetCpus,
            CpusetMems = cpusetMems,
            PidsLimit = pidsLimit,
            BlkioWeight = blkioWeight,
            BlkioWeightDevice = blkioWeightDevice,
            DeviceReadBps = deviceReadBps,
            DeviceWriteBps = deviceWriteBps,
            DeviceReadIops = deviceReadIops,
            DeviceWriteIops = deviceWriteIops,
        };
    }

    private static void WriteRestartPolicy(Utf8JsonWriter json, RestartPolicy value)
    {
        RecordJson.Number(json, "condition"u8, (int)value.Condition);
        RecordJson.Number(json, "maximumRetryCount"u8, value.MaximumRetryCount);
    }

    private static RestartPolicy ReadRestartPolicy(ref Utf8JsonReader json)
    {
        RecordJson.Begin(ref json);
        RestartCondition condition = default;
        int maximumRetryCount = 0;
        while (RecordJson.Next(ref json, out Utf8JsonReader key))
        {
            if (key.ValueTextEquals("condition"u8)) { condition = (RestartCondition)json.GetInt32(); }
            else if (key.ValueTextEquals("maximumRetryCount"u8)) { maximumRetryCount = json.GetInt32(); }
            else { json.Skip(); }
        }

        return new RestartPolicy
        {
            Condition = condition,
            MaximumRetryCount = maximumRetryCount,
        };
    }

    private static void WriteLogConfig(Utf8JsonWriter json, LogConfig value)
    {
        RecordJson.Text(json, "driver"u8, value.Driver);
        RecordJson.Map(json, "options"u8, value.Options);
    }

    private static LogConfig ReadLogConfig(ref Utf8JsonReader json)
    {
        RecordJson.Begin(ref json);
        string? driver = null;
        IReadOnlyDictionary<string, string>? options = null;
        while (RecordJson.Next(ref json, out Utf8JsonReader key))
        {
            if (key.ValueTextEquals("driver"u8)) { driver = json.GetString(); }
            else if (key.ValueTextEquals("options"u8)) { options = RecordJson.Map(ref json); }
            else { json.Skip(); }
        }

        return new LogConfig
        {
            Driver = driver,
            Options = options,
        };
    }
}
