using Hull.Kernel.Tests.Harness;

namespace Hull.Kernel.Tests.Callers;

/// <summary>Debian's podman on directories of its own, with a log in files.</summary>
public sealed class PodmanHost : CallerHost
{
    public PodmanHost()
        : this("cgroupfs")
    {
    }

    /// <param name="cgroupManager"><c>cgroupfs</c>, or <c>systemd</c>, which is told pids and so has to see the same ones.</param>
    internal PodmanHost(string cgroupManager)
        : base(ownPids: cgroupManager != "systemd")
    {
        Parent = cgroupManager == "systemd" ? "machine.slice" : CgroupParent;
        // podman asks for a million open files and processes; a root without CAP_SYS_RESOURCE gets what it has.
        string files = Store.Shell("ulimit -H -n | sed s/unlimited/-1/").Ok();
        File.WriteAllText(Place("containers.conf"), $"""
            [containers]
            default_ulimits = ["nofile={files}:{files}", "nproc=4096:4096"]
            [network]
            network_config_dir = "{Place("net")}"
            [engine]
            cgroup_manager = "{cgroupManager}"
            events_logger = "file"
            runtime = "{Runtime}"
            static_dir = "{Place("storage/libpod")}"
            tmp_dir = "{Place("tmp")}"
            volume_path = "{Place("storage/volumes")}"
            """);
        File.WriteAllText(Place("storage.conf"), $"""
            [storage]
            driver = "overlay"
            graphroot = "{Place("storage")}"
            runroot = "{Place("run")}"
            """);
        Call("load", "-i", Repository.Fixture("busybox")).Ok();
    }

    /// <summary>The cgroup in which its containers are, for --cgroup-parent. systemd keeps its own.</summary>
    public string Parent { get; }

    /// <summary>As from a login: in a service (INVOCATION_ID) podman leaves conmon in the service's cgroup.</summary>
    protected override string[] Client => ["env", "-u", "INVOCATION_ID", "podman"];

    protected override Dictionary<string, string?> Environment => new(base.Environment)
    {
        ["CONTAINERS_CONF"] = Place("containers.conf"),
        ["CONTAINERS_STORAGE_CONF"] = Place("storage.conf"),
    };

    private string Place(string name) => Path.Combine(Store.Scratch, name);
}
