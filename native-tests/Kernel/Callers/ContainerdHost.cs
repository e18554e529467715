namespace Hull.Kernel.Tests.Callers;

/// <summary>Debian's containerd on directories of its own, with its shim for runc.</summary>
public class ContainerdHost : CallerHost
{
    public ContainerdHost()
    {
        Socket = Path.Combine(Store.ExecRoot, "containerd.sock");
        string config = Path.Combine(Store.Scratch, "containerd.toml");
        File.WriteAllText(config, $"""
            version = 2
            root = "{Store.Scratch}/containerd"
            state = "{Store.ExecRoot}/containerd"
            disabled_plugins = ["io.containerd.grpc.v1.cri"]
            [grpc]
              address = "{Socket}"
            """);
        Serve(() => File.Exists(Socket), "containerd", "--config", config);
    }

    protected string Socket { get; }

    protected override string[] Client => ["ctr", "-a", Socket];

    protected override void RemoveContainers()
    {
        foreach (string task in Call("tasks", "ls", "-q").Ok().Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            Call("tasks", "kill", "-s", "KILL", task);
            Call("containers", "delete", task);
        }
    }
}
