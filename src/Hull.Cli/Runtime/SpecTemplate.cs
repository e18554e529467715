using System.Text.Json;
using Hull.Cli.Output;
using Hull.Engine.Containers;
using Hull.Linux;
using Hull.Linux.Cgroups;
using Hull.Oci.RuntimeSpec;
using Hull.Runtime;
using Microsoft.Win32.SafeHandles;

namespace Hull.Cli.Runtime;

/// <summary><c>hull runtime spec</c>: a config.json to begin with, as runc writes one: a shell on a terminal, in namespaces of
/// its own, with three capabilities.</summary>
internal static class SpecTemplate
{
    private const string FileName = "config.json";

    private static readonly string[] Capabilities = ["CAP_AUDIT_WRITE", "CAP_KILL", "CAP_NET_BIND_SERVICE"];

    /// <exception cref="ContainerException">The bundle has a config.json.</exception>
    public static void WriteTo(string bundle, bool rootless)
    {
        Spec spec = Of(rootless, unifiedCgroups: CgroupHost.Detect().Hierarchies.All(hierarchy => hierarchy.IsUnified));
        string path = Path.Combine(Path.GetFullPath(bundle), FileName);
        using SafeFileHandle file = Files.TryOpenAt(null, path, OpenFlags.WriteOnly | OpenFlags.Create | OpenFlags.Exclusive, 0x1B6, out Errno errno)
            ?? throw (errno == Errno.EEXIST
                ? new ContainerException(ContainerFault.Engine, $"file {path} exists. Remove it first")
                : new SyscallException("open", path, errno));
        Files.Write(file, System.Text.Encoding.UTF8.GetBytes(
            IndentedJson.Of(JsonSerializer.SerializeToElement(spec, RuntimeSpecJson.Default.Spec)) + "\n"), path);
    }

    internal static Spec Of(bool rootless, bool unifiedCgroups) => new()
    {
        OciVersion = SpecDefaults.OciVersion,
        Process = new Process
        {
            Terminal = true,
            User = new User(),
            Args = ["sh"],
            Env = [SpecDefaults.Path, "TERM=xterm"],
            Cwd = "/",
            Capabilities = new Capabilities { Bounding = Capabilities, Effective = Capabilities, Permitted = Capabilities },
            Rlimits = [new Rlimit { Type = "RLIMIT_NOFILE", Soft = 1024, Hard = 1024 }],
            NoNewPrivileges = true,
        },
        Root = new Root { Path = "rootfs", Readonly = true },
        Hostname = "hull",
        // A user namespace that shares the host's network may mount no sysfs, and maps no tty group.
        Mounts = SpecDefaults.Mounts(privileged: false, SpecDefaults.ShmSize, sysfs: !rootless, ptsGroup: !rootless),
        Linux = new LinuxConfig
        {
            Resources = rootless ? null : new LinuxResources { Devices = [new DeviceRule { Allow = false, Access = "rwm" }] },
            Namespaces = [.. Namespaces(rootless, unifiedCgroups).Select(type => new Namespace { Type = type })],
            UidMappings = rootless ? Own() : null,
            GidMappings = rootless ? Own() : null,
            MaskedPaths = SpecDefaults.MaskedPaths,
            ReadonlyPaths = SpecDefaults.ReadonlyPaths,
        },
    };

    private static IEnumerable<string> Namespaces(bool rootless, bool unifiedCgroups)
    {
        string[] always = ["pid", "ipc", "uts", "mount"];
        return always.Append(rootless ? "user" : "network").Concat(unifiedCgroups ? ["cgroup"] : []);
    }

    private static IdMapping[] Own() => [new() { ContainerID = 0, HostID = OwnProcess.EffectiveUserId, Size = 1 }];
}
