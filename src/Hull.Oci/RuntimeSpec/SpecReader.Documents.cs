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
        Timeout = Int32OrNull(o, "timeout"),
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
        OomScoreAdj = Int32OrNull(o, "oomScoreAdj"),
        SelinuxLabel = TextOrNull(o, "selinuxLabel"),
        User = Object(o, "user", User),
        Scheduler = Object(o, "scheduler", Scheduler),
        IoPriority = Object(o, "ioPriority", IoPriority),
        ExecCPUAffinity = Object(o, "execCPUAffinity", CpuAffinity),
    };

    private ConsoleSize ConsoleSize(JsonElement o) => new()
    {
        Height = UInt16(o, "height"),
        Width = UInt16(o, "width"),
    };

    private User User(JsonElement o) => new()
    {
        Uid = UInt32OrNull(o, "uid") ?? 0,
        Gid = UInt32OrNull(o, "gid") ?? 0,
        Umask = UInt32OrNull(o, "umask"),
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
        Soft = UInt64(o, "soft"),
        Hard = UInt64(o, "hard"),
    };

    private Scheduler Scheduler(JsonElement o) => new()
    {
        Policy = Text(o, "policy"),
        Nice = Int32OrNull(o, "nice"),
        Priority = Int32OrNull(o, "priority"),
        Flags = List(o, "flags", AsText),
        Runtime = UInt64OrNull(o, "runtime"),
        Deadline = UInt64OrNull(o, "deadline"),
        Period = UInt64OrNull(o, "period"),
    };

    private IoPriority IoPriority(JsonElement o) => new()
    {
        Class = Text(o, "class"),
        Priority = Int32OrNull(o, "priority"),
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
        ContainerID = UInt32(o, "containerID"),
        HostID = UInt32(o, "hostID"),
        Size = UInt32(o, "size"),
    };

    private LinuxDevice LinuxDevice(JsonElement o) => new()
    {
        Type = Text(o, "type"),
        Path = Text(o, "path"),
        Major = Int64OrNull(o, "major"),
        Minor = Int64OrNull(o, "minor"),
        FileMode = UInt32OrNull(o, "fileMode"),
        Uid = UInt32OrNull(o, "uid"),
        Gid = UInt32OrNull(o, "gid"),
    };

    private Personality Personality(JsonElement o) => new()
    {
        Domain = Text(o, "domain"),
        Flags = List(o, "flags", AsText),
    };

    private TimeOffset TimeOffset(JsonElement o) => new()
    {
        Secs = Int64OrNull(o, "secs") ?? default,
        Nanosecs = UInt32OrNull(o, "nanosecs") ?? 0,
    };
}
