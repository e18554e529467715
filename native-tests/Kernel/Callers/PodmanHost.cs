using Hull.Kernel.Tests.Harness;

namespace Hull.Kernel.Tests.Callers;

/// <summary>Debian's podman on directories of its own, without systemd: cgroupfs and a log in files.</summary>
public sealed class PodmanHost : CallerHost
{
    public PodmanHost()
    {
        // podman asks for a million open files and processes; a root without CAP_SYS_RESOURCE gets what it has.
        string files = Store.Shell("ulimit -H -n | sed s/unlimited/-1/").Ok();
        File.WriteAllText(Place("containers.conf"), $"""
            [containers]
            default_ulimits = ["nofile={files}:{files}", "nproc=4096:4096"]
            [network]
            network_config_dir = "{Place("net")}"
            [engine]
            cgroup_manager = "cgroupfs"
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

    protected override string[] Client => ["podman"];

    protected override Dictionary<string, string?> Environment => new(base.Environment)
    {
        ["CONTAINERS_CONF"] = Place("containers.conf"),
        ["CONTAINERS_STORAGE_CONF"] = Place("storage.conf"),
    };

    private string Place(string name) => Path.Combine(Store.Scratch, name);
}
