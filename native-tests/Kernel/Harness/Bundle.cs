using System.Text.Json.Nodes;

namespace Hull.Kernel.Tests.Harness;

/// <summary>An OCI bundle with busybox as its root, for <c>hull runtime</c>: config.json is what the test makes of it,
/// with nothing that an engine adds.</summary>
/// <remarks>Its directory goes with the store; its cgroup is /hull/NAME.</remarks>
public sealed class Bundle
{
    private static readonly string[] Applets =
        ["sh", "cat", "echo", "grep", "head", "ls", "mkdir", "mknod", "mount", "setsid", "sleep", "tail", "true", "unshare", "wc"];

    private static readonly string[] Capabilities = ["CAP_MKNOD", "CAP_DAC_OVERRIDE", "CAP_KILL", "CAP_SETUID", "CAP_SETGID"];

    private readonly HullStore _store;

    public Bundle(HullStore store, string script)
    {
        _store = store;
        Id = $"{store.Name}-{Guid.NewGuid().ToString("n")[..6]}";
        Directory = Path.Combine(store.Scratch, Id);
        foreach (string directory in (string[])["bin", "dev", "proc", "sys", "tmp"])
        {
            System.IO.Directory.CreateDirectory($"{Directory}/rootfs/{directory}");
        }

        File.Copy("/bin/busybox", $"{Directory}/rootfs/bin/busybox");
        foreach (string applet in Applets)
        {
            File.CreateSymbolicLink($"{Directory}/rootfs/bin/{applet}", "busybox");
        }

        Config = new JsonObject
        {
            ["ociVersion"] = "1.0.2",
            ["process"] = new JsonObject
            {
                ["user"] = new JsonObject { ["uid"] = 0, ["gid"] = 0 },
                ["args"] = new JsonArray("sh", "-c", script),
                ["env"] = new JsonArray("PATH=/bin"),
                ["cwd"] = "/",
                ["capabilities"] = new JsonObject
                {
                    ["bounding"] = List(Capabilities),
                    ["effective"] = List(Capabilities),
                    ["permitted"] = List(Capabilities),
                },
            },
            ["root"] = new JsonObject { ["path"] = "rootfs" },
            ["mounts"] = new JsonArray(
                Mount("/proc", "proc"), Mount("/dev", "tmpfs", "nosuid", "mode=755"), Mount("/sys", "sysfs", "ro"),
                Mount("/sys/fs/cgroup", "cgroup", "ro", "nosuid", "noexec", "nodev")),
            ["linux"] = new JsonObject
            {
                ["cgroupsPath"] = $"/hull/{Id}",
                ["namespaces"] = new JsonArray(
                    [.. ((string[])["pid", "ipc", "uts", "mount", "network", "cgroup"]).Select(type => new JsonObject { ["type"] = type })]),
                ["resources"] = new JsonObject(),
            },
        };
    }

    public string Id { get; }

    public string Directory { get; }

    /// <summary>The document, to be changed before the start.</summary>
    public JsonObject Config { get; }

    public JsonObject Linux => Config["linux"]!.AsObject();

    /// <summary>Sets linux.resources from JSON text.</summary>
    public Bundle Resources(string json)
    {
        Linux["resources"] = JsonNode.Parse(json);
        return this;
    }

    /// <summary>Gives it a user namespace of its own, in which an id of the host is root; its files become that root's.</summary>
    public Bundle InUserNamespace(int root = 5000)
    {
        Linux["namespaces"]!.AsArray().Add(new JsonObject { ["type"] = "user" });
        foreach (string map in (string[])["uidMappings", "gidMappings"])
        {
            Linux[map] = new JsonArray(new JsonObject { ["containerID"] = 0, ["hostID"] = root, ["size"] = 65536 });
        }

        // Its root must be able to walk to them.
        _store.Shell($"chown -R {root}:{root} {Directory}/rootfs && chmod 755 {_store.Scratch}").Ok();
        return this;
    }

    /// <summary><c>hull runtime run</c>, to its end.</summary>
    public RunResult Run(int seconds = 30)
    {
        using HullProcess process = Start();
        process.CloseInput();
        return process.Finish(seconds);
    }

    /// <summary><c>hull runtime run</c>, left running.</summary>
    public HullProcess Start()
    {
        Write();
        return _store.Start([.. Runtime, "run", "--bundle", Directory, Id]);
    }

    /// <summary>Writes config.json.</summary>
    public void Write() => File.WriteAllText($"{Directory}/config.json", Config.ToJsonString());

    /// <summary><c>hull runtime --root …</c> with the words.</summary>
    public RunResult Call(params string[] words) => _store.Run([.. Runtime, .. words]);

    /// <summary>Called with <c>--systemd-cgroup</c>: the cgroup is a scope's, <see cref="Scope"/>.</summary>
    public bool Systemd { get; set; }

    /// <summary>The scope of the container where <see cref="Systemd"/> is set.</summary>
    public string Scope => $"hulltest-{Id}.scope";

    /// <summary>The words before the verb.</summary>
    public string[] Runtime => ["runtime", "--root", _store.RuntimeRoot, .. Systemd ? (string[])["--systemd-cgroup"] : []];

    /// <summary>A file of the container's own cgroup, by the name it has on v2 and on v1; null where it is missing.</summary>
    public string? Cgroup(string controller, string unified, string legacy)
    {
        string? v1 = Machine.CgroupV1Mount(controller);
        string file = $"{v1 ?? Machine.CgroupV2Mount}/hull/{Id}/{(v1 is null ? unified : legacy)}";
        return File.Exists(file) ? File.ReadAllText(file).Trim() : null;
    }

    private static JsonObject Mount(string destination, string type, params string[] options) => new()
    {
        ["destination"] = destination,
        ["type"] = type,
        ["source"] = type,
        ["options"] = List(options),
    };

    private static JsonArray List(string[] values) => [.. values.Select(value => JsonValue.Create(value))];
}
