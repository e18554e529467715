using System.Text.Json;

namespace Hull.Oci.RuntimeSpec;

/// <summary>config.json, config-linux.md and the process.</summary>
public sealed partial class SpecReader
{
    private Spec Spec(JsonElement o) => new()
    {
        OciVersion = Text(o, "ociVersion"),
        Process = Object(o, "process", Process),
        Root = Object(o, "root", Root),
        Hostname = TextOrNull(o, "hostname"),
        Domainname = TextOrNull(o, "domainname"),
        Mounts = List(o, "mounts", Mount),
        Hooks = Object(o, "hooks", Hooks),
        Annotations = Map(o, "annotations", AsText),
        Linux = Object(o, "linux", LinuxConfig),
    };

    private Root Root(JsonElement o) => new()
    {
        Path = Text(o, "path"),
        Readonly = BooleanOrNull(o, "readonly"),
    };

    private Mount Mount(JsonElement o) => new()
    {
        Destination = Text(o, "destination"),
        Type = TextOrNull(o, "type"),
        Source = TextOrNull(o, "source"),
        Options = List(o, "options", AsText),
        UidMappings = List(o, "uidMappings", IdMapping),
        GidMappings = List(o, "gidMappings", IdMapping),
    };

    private Hooks Hooks(JsonElement o) => new()
    {
        Prestart = List(o, "prestart", Hook),
        CreateRuntime = List(o, "createRuntime", Hook),
        CreateContainer = List(o, "createContainer", Hook),
        StartContainer = List(o, "startContainer", Hook),
        Poststart = List(o, "poststart", Hook),
        Poststop = List(o, "poststop", Hook),
    };

    private Hook Hook(JsonElement o) => new()
    {
        Path = Text(o, "path"),
        Args = List(o, "args", AsText),
        Env = List(o, "env", AsText),
        Timeout = NumberOrNull<int>(o, "timeout"),
    };

    private Process Process(JsonElement o) => new()
    {
        Terminal = BooleanOrNull(o, "terminal"),
        ConsoleSize = Object(o, "consoleSize", ConsoleSize),
        Cwd = Text(o, "cwd"),
        Env = List(o, "env", AsText),
        Args = List(o, "args", AsText),
        Rlimits = List(o, "rlimits", Rlimit),
        ApparmorProfile = TextOrNull(o, "apparmorProfile"),
        Capabilities = Object(o, "capabilities", Capabilities),
        NoNewPrivileges = BooleanOrNull(o, "noNewPrivileges"),
        OomScoreAdj = NumberOrNull<int>(o, "oomScoreAdj"),
        SelinuxLabel = TextOrNull(o, "selinuxLabel"),
        User = Object(o, "user", User),
        Scheduler = Object(o, "scheduler", Scheduler),
        IoPriority = Object(o, "ioPriority", IoPriority),
        ExecCPUAffinity = Object(o, "execCPUAffinity", CpuAffinity),
    };

    private ConsoleSize ConsoleSize(JsonElement o) => new()
    {
        Height = Number<ushort>(o, "height"),
        Width = Number<ushort>(o, "width"),
    };

    private User User(JsonElement o) => new()
    {
        Uid = NumberOrNull<uint>(o, "uid") ?? 0,
        Gid = NumberOrNull<uint>(o, "gid") ?? 0,
        Umask = NumberOrNull<uint>(o, "umask"),
        AdditionalGids = List(o, "additionalGids", AsUInt32),
        Username = TextOrNull(o, "username"),
    };

    private Capabilities Capabilities(JsonElement o) => new()
    {
        Bounding = List(o, "bounding", AsText),
        Permitted = List(o, "permitted", AsText),
        Effective = List(o, "effective", AsText),
        Inheritable = List(o, "inheritable", AsText),
        Ambient = List(o, "ambient", AsText),
    };

    private Rlimit Rlimit(JsonElement o) => new()
    {
        Type = Text(o, "type"),
        Soft = Number<ulong>(o, "soft"),
        Hard = Number<ulong>(o, "hard"),
    };

    private Scheduler Scheduler(JsonElement o) => new()
    {
        Policy = Text(o, "policy"),
        Nice = NumberOrNull<int>(o, "nice"),
        Priority = NumberOrNull<int>(o, "priority"),
        Flags = List(o, "flags", AsText),
        Runtime = NumberOrNull<ulong>(o, "runtime"),
        Deadline = NumberOrNull<ulong>(o, "deadline"),
        Period = NumberOrNull<ulong>(o, "period"),
    };

    private IoPriority IoPriority(JsonElement o) => new()
    {
        Class = Text(o, "class"),
        Priority = NumberOrNull<int>(o, "priority"),
    };

    private CpuAffinity CpuAffinity(JsonElement o) => new()
    {
        Initial = TextOrNull(o, "initial"),
        Final = TextOrNull(o, "final"),
    };

    private LinuxConfig LinuxConfig(JsonElement o) => new()
    {
        Devices = List(o, "devices", LinuxDevice),
        UidMappings = List(o, "uidMappings", IdMapping),
        GidMappings = List(o, "gidMappings", IdMapping),
        Namespaces = List(o, "namespaces", Namespace),
        Resources = Object(o, "resources", LinuxResources),
        CgroupsPath = TextOrNull(o, "cgroupsPath"),
        RootfsPropagation = TextOrNull(o, "rootfsPropagation"),
        Seccomp = Object(o, "seccomp", Seccomp),
        Sysctl = Map(o, "sysctl", AsText),
        MaskedPaths = List(o, "maskedPaths", AsText),
        ReadonlyPaths = List(o, "readonlyPaths", AsText),
        MountLabel = TextOrNull(o, "mountLabel"),
        Personality = Object(o, "personality", Personality),
        TimeOffsets = Map(o, "timeOffsets", TimeOffset),
    };

    private Namespace Namespace(JsonElement o) => new()
    {
        Type = Text(o, "type"),
        Path = TextOrNull(o, "path"),
    };

    private IdMapping IdMapping(JsonElement o) => new()
    {
        ContainerID = Number<uint>(o, "containerID"),
        HostID = Number<uint>(o, "hostID"),
        Size = Number<uint>(o, "size"),
    };

    private LinuxDevice LinuxDevice(JsonElement o) => new()
    {
        Type = Text(o, "type"),
        Path = Text(o, "path"),
        Major = NumberOrNull<long>(o, "major"),
        Minor = NumberOrNull<long>(o, "minor"),
        FileMode = NumberOrNull<uint>(o, "fileMode"),
        Uid = NumberOrNull<uint>(o, "uid"),
        Gid = NumberOrNull<uint>(o, "gid"),
    };

    private Personality Personality(JsonElement o) => new()
    {
        Domain = Text(o, "domain"),
        Flags = List(o, "flags", AsText),
    };

    private TimeOffset TimeOffset(JsonElement o) => new()
    {
        Secs = NumberOrNull<long>(o, "secs") ?? default,
        Nanosecs = NumberOrNull<uint>(o, "nanosecs") ?? 0,
    };
}
