using System.Text.Json;

namespace Hull.Oci.RuntimeSpec;

/// <summary>Resources and seccomp.</summary>
public sealed partial class SpecReader
{
    private LinuxResources LinuxResources(JsonElement o) => new()
    {
        Devices = List(o, "devices", DeviceRule),
        Memory = Object(o, "memory", MemoryResources),
        Cpu = Object(o, "cpu", CpuResources),
        Pids = Object(o, "pids", PidsResources),
        BlockIO = Object(o, "blockIO", BlockIoResources),
        HugepageLimits = List(o, "hugepageLimits", HugepageLimit),
        Network = Object(o, "network", NetworkResources),
        Rdma = Map(o, "rdma", RdmaLimit),
        Unified = Map(o, "unified", AsText),
    };

    private DeviceRule DeviceRule(JsonElement o) => new()
    {
        Allow = Boolean(o, "allow"),
        Type = TextOrNull(o, "type"),
        Major = Int64OrNull(o, "major"),
        Minor = Int64OrNull(o, "minor"),
        Access = TextOrNull(o, "access"),
    };

    private MemoryResources MemoryResources(JsonElement o) => new()
    {
        Limit = Int64OrNull(o, "limit"),
        Reservation = Int64OrNull(o, "reservation"),
        Swap = Int64OrNull(o, "swap"),
        Kernel = Int64OrNull(o, "kernel"),
        KernelTCP = Int64OrNull(o, "kernelTCP"),
        Swappiness = UInt64OrNull(o, "swappiness"),
        DisableOOMKiller = BooleanOrNull(o, "disableOOMKiller"),
        UseHierarchy = BooleanOrNull(o, "useHierarchy"),
        CheckBeforeUpdate = BooleanOrNull(o, "checkBeforeUpdate"),
    };

    private CpuResources CpuResources(JsonElement o) => new()
    {
        Shares = UInt64OrNull(o, "shares"),
        Quota = Int64OrNull(o, "quota"),
        Burst = UInt64OrNull(o, "burst"),
        Period = UInt64OrNull(o, "period"),
        RealtimeRuntime = Int64OrNull(o, "realtimeRuntime"),
        RealtimePeriod = UInt64OrNull(o, "realtimePeriod"),
        Cpus = TextOrNull(o, "cpus"),
        Mems = TextOrNull(o, "mems"),
        Idle = Int64OrNull(o, "idle"),
    };

    private PidsResources PidsResources(JsonElement o) => new()
    {
        Limit = Int64(o, "limit"),
    };

    private BlockIoResources BlockIoResources(JsonElement o) => new()
    {
        Weight = UInt16OrNull(o, "weight"),
        LeafWeight = UInt16OrNull(o, "leafWeight"),
        WeightDevice = List(o, "weightDevice", WeightDevice),
        ThrottleReadBpsDevice = List(o, "throttleReadBpsDevice", ThrottleDevice),
        ThrottleWriteBpsDevice = List(o, "throttleWriteBpsDevice", ThrottleDevice),
        ThrottleReadIOPSDevice = List(o, "throttleReadIOPSDevice", ThrottleDevice),
        ThrottleWriteIOPSDevice = List(o, "throttleWriteIOPSDevice", ThrottleDevice),
    };

    private WeightDevice WeightDevice(JsonElement o) => new()
    {
        Major = Int64(o, "major"),
        Minor = Int64(o, "minor"),
        Weight = UInt16OrNull(o, "weight"),
        LeafWeight = UInt16OrNull(o, "leafWeight"),
    };

    private ThrottleDevice ThrottleDevice(JsonElement o) => new()
    {
        Major = Int64(o, "major"),
        Minor = Int64(o, "minor"),
        Rate = UInt64(o, "rate"),
    };

    private HugepageLimit HugepageLimit(JsonElement o) => new()
    {
        PageSize = Text(o, "pageSize"),
        Limit = UInt64(o, "limit"),
    };

    private NetworkResources NetworkResources(JsonElement o) => new()
    {
        ClassID = UInt32OrNull(o, "classID"),
        Priorities = List(o, "priorities", InterfacePriority),
    };

    private InterfacePriority InterfacePriority(JsonElement o) => new()
    {
        Name = Text(o, "name"),
        Priority = UInt32(o, "priority"),
    };

    private RdmaLimit RdmaLimit(JsonElement o) => new()
    {
        HcaHandles = UInt32OrNull(o, "hcaHandles"),
        HcaObjects = UInt32OrNull(o, "hcaObjects"),
    };

    private Seccomp Seccomp(JsonElement o) => new()
    {
        DefaultAction = Text(o, "defaultAction"),
        DefaultErrnoRet = UInt32OrNull(o, "defaultErrnoRet"),
        Architectures = List(o, "architectures", AsText),
        Flags = List(o, "flags", AsText),
        ListenerPath = TextOrNull(o, "listenerPath"),
        ListenerMetadata = TextOrNull(o, "listenerMetadata"),
        Syscalls = List(o, "syscalls", SeccompRule),
    };

    private SeccompRule SeccompRule(JsonElement o) => new()
    {
        Names = List(o, "names", AsText) ?? throw Missing("names"),
        Action = Text(o, "action"),
        ErrnoRet = UInt32OrNull(o, "errnoRet"),
        Args = List(o, "args", SeccompArgument),
    };

    private SeccompArgument SeccompArgument(JsonElement o) => new()
    {
        Index = UInt32(o, "index"),
        Value = UInt64(o, "value"),
        ValueTwo = UInt64OrNull(o, "valueTwo"),
        Op = Text(o, "op"),
    };
}
