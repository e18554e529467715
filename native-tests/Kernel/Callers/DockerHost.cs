using Hull.Kernel.Tests.Harness;

namespace Hull.Kernel.Tests.Callers;

/// <summary>Debian's dockerd over <see cref="ContainerdHost"/>, without networks, with hull added as a runtime.</summary>
public sealed class DockerHost : ContainerdHost
{
    public DockerHost()
    {
        Serve(() => Call("version").ExitCode == 0,
            "dockerd", "--data-root", $"{Store.Scratch}/docker", "--exec-root", $"{Store.ExecRoot}/docker", "--pidfile", $"{Store.ExecRoot}/docker.pid",
            "--host", $"unix://{Store.ExecRoot}/docker.sock", "--containerd", Socket, "--exec-opt", "native.cgroupdriver=cgroupfs",
            "--bridge", "none", "--iptables=false", "--ip6tables=false", "--ip-forward=false", "--storage-driver", "overlay2",
            "--add-runtime", $"hull={Runtime}", "--default-runtime", "hull");
        Call("load", "-i", Repository.Fixture("busybox")).Ok();
    }

    protected override string[] Client => ["docker", "-H", $"unix://{Store.ExecRoot}/docker.sock"];

    protected override void RemoveContainers()
    {
        if (Call("ps", "-aq").Ok() is { Length: > 0 } ids)
        {
            Call(["rm", "-f", .. ids.Split('\n')]).Ok();
        }
    }
}
