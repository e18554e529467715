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
        Major = NumberOrNull<long>(o, "major"),
        Minor = NumberOrNull<long>(o, "minor"),
        Access = TextOrNull(o, "access"),
    };

    private MemoryResources MemoryResources(JsonElement o) => new()
    {
        Limit = NumberOrNull<long>(o, "limit"),
        Reservation = NumberOrNull<long>(o, "reservation"),
        Swap = NumberOrNull<long>(o, "swap"),
        Kernel = NumberOrNull<long>(o, "kernel"),
        KernelTCP = NumberOrNull<long>(o, "kernelTCP"),
        Swappiness = NumberOrNull<ulong>(o, "swappiness"),
        DisableOOMKiller = BooleanOrNull(o, "disableOOMKiller"),
        UseHierarchy = BooleanOrNull(o, "useHierarchy"),
        CheckBeforeUpdate = BooleanOrNull(o, "checkBeforeUpdate"),
    };

    private CpuResources CpuResources(JsonElement o) => new()
    {
        Shares = NumberOrNull<ulong>(o, "shares"),
        Quota = NumberOrNull<long>(o, "quota"),
        Burst = NumberOrNull<ulong>(o, "burst"),
        Period = NumberOrNull<ulong>(o, "period"),
        RealtimeRuntime = NumberOrNull<long>(o, "realtimeRuntime"),
        RealtimePeriod = NumberOrNull<ulong>(o, "realtimePeriod"),
        Cpus = TextOrNull(o, "cpus"),
        Mems = TextOrNull(o, "mems"),
        Idle = NumberOrNull<long>(o, "idle"),
    };

    private PidsResources PidsResources(JsonElement o) => new()
    {
        Limit = Number<long>(o, "limit"),
    };

    private BlockIoResources BlockIoResources(JsonElement o) => new()
    {
        Weight = NumberOrNull<ushort>(o, "weight"),
        LeafWeight = NumberOrNull<ushort>(o, "leafWeight"),
        WeightDevice = List(o, "weightDevice", WeightDevice),
        ThrottleReadBpsDevice = List(o, "throttleReadBpsDevice", ThrottleDevice),
        ThrottleWriteBpsDevice = List(o, "throttleWriteBpsDevice", ThrottleDevice),
        ThrottleReadIOPSDevice = List(o, "throttleReadIOPSDevice", ThrottleDevice),
        ThrottleWriteIOPSDevice = List(o, "throttleWriteIOPSDevice", ThrottleDevice),
    };

    private WeightDevice WeightDevice(JsonElement o) => new()
    {
        Major = Number<long>(o, "major"),
        Minor = Number<long>(o, "minor"),
        Weight = NumberOrNull<ushort>(o, "weight"),
        LeafWeight = NumberOrNull<ushort>(o, "leafWeight"),
    };

    private ThrottleDevice ThrottleDevice(JsonElement o) => new()
    {
        Major = Number<long>(o, "major"),
        Minor = Number<long>(o, "minor"),
        Rate = Number<ulong>(o, "rate"),
    };

    private HugepageLimit HugepageLimit(JsonElement o) => new()
    {
        PageSize = Text(o, "pageSize"),
        Limit = Number<ulong>(o, "limit"),
    };

    private NetworkResources NetworkResources(JsonElement o) => new()
    {
        ClassID = NumberOrNull<uint>(o, "classID"),
        Priorities = List(o, "priorities", InterfacePriority),
    };

    private InterfacePriority InterfacePriority(JsonElement o) => new()
    {
        Name = Text(o, "name"),
        Priority = Number<uint>(o, "priority"),
    };

    private RdmaLimit RdmaLimit(JsonElement o) => new()
    {
        HcaHandles = NumberOrNull<uint>(o, "hcaHandles"),
        HcaObjects = NumberOrNull<uint>(o, "hcaObjects"),
    };

    private Seccomp Seccomp(JsonElement o) => new()
    {
        DefaultAction = Text(o, "defaultAction"),
        DefaultErrnoRet = NumberOrNull<uint>(o, "defaultErrnoRet"),
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
        ErrnoRet = NumberOrNull<uint>(o, "errnoRet"),
        Args = List(o, "args", SeccompArgument),
    };

    private SeccompArgument SeccompArgument(JsonElement o) => new()
    {
        Index = Number<uint>(o, "index"),
        Value = Number<ulong>(o, "value"),
        ValueTwo = NumberOrNull<ulong>(o, "valueTwo"),
        Op = Text(o, "op"),
    };
}
