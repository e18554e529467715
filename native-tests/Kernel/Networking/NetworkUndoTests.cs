using Hull.Kernel.Tests.Harness;

namespace Hull.Kernel.Tests.Networking;

/// <summary>Starts and connections that fail: nothing of them is left, and what cannot be undone is said.</summary>
public sealed class NetworkUndoTests(HullStore store) : NetworkTest(store)
{
    [KernelFact(Needs.Nftables)]
    public void Connect_AddressTaken_LeavesNoMark()
    {
        string id = Network("net", "--subnet", "172.28.0.0/16");
        string other = Detached("other", ["--network", "net", "--ip", "172.28.0.9"]);
        Detached("box");

        BadInput.IsOneLine(Hull("network", "connect", "--ip", "172.28.0.9", "net", "box"), 1, "Address already in use: 172.28.0.9");

        Assert.Equal([other], Marks(id));
        Assert.Equal("bridge ", Inspect("box", "{{range $name, $_ := .NetworkSettings.Networks}}{{$name}} {{end}}"));
        Hull("rm", "-f", "other").Ok();
        Hull("network", "connect", "--ip", "172.28.0.9", "net", "box").Ok();
    }

    [KernelFact(Needs.Nftables)]
    public void Connect_LinkThatCannotBe_LeavesNothingOfTheNetwork()
    {
        string id = Network("net", "--driver", "macvlan", "--subnet", "192.0.2.0/24", "--opt", "parent=nowhere0");
        Detached("box");

        BadInput.IsOneLine(Hull("network", "connect", "net", "box"), 1, "nowhere0");

        Assert.False(Directory.Exists(DirectoryOf(id)));
        Assert.Equal("lo\neth0", string.Join('\n', Hull("exec", "box", "ls", "/sys/class/net").Ok().Split('\n').Order().Reverse()));
    }

    [KernelFact(Needs.Nftables)]
    public void Connect_CannotBeUndone_Warns()
    {
        string id = Network("net", "--driver", "macvlan", "--subnet", "192.0.2.0/24", "--opt", "parent=nowhere0");
        Detached("box");
        using AppendOnly stuck = new(Path.Combine(DirectoryOf(id), "addresses"));

        RunResult failed = Hull("network", "connect", "net", "box");

        failed.Fails(1, "has no link nowhere0", "WARNING: left behind: unlink", "EPERM");
    }

    [KernelFact(Needs.Nftables)]
    public void Start_CannotBeUndone_SaysItBesideTheReason()
    {
        string id = Network("net", "--driver", "macvlan", "--subnet", "192.0.2.0/24", "--opt", "parent=nowhere0");
        using (new AppendOnly(Path.Combine(DirectoryOf(id), "addresses")))
        {
            RunResult failed = Hull("run", "--name", "box", "--network", "net", Store.Busybox, "true");

            BadInput.IsOneLine(failed, 125, "has no link nowhere0", "; left behind: unlink", "EPERM");
        }

        // What was left is found by its mark, once the monitor has ended.
        Wait.Until(() => Hull("ps").Ok().Length > 0 && !Directory.Exists(DirectoryOf(id)), 5, () => "the network's directory stays");
    }

    private string DirectoryOf(string network) => Path.Combine(Store.ExecRoot, "networks", network);

    private string[] Marks(string network) => [.. Directory.EnumerateFileSystemEntries(Path.Combine(DirectoryOf(network), "endpoints")).Select(path => Path.GetFileName(path))];

    /// <summary>A directory in which names can be made and not removed (chattr(1)), while this lives.</summary>
    private sealed class AppendOnly : IDisposable
    {
        private readonly string _directory;

        public AppendOnly(string directory)
        {
            _directory = directory;
            Directory.CreateDirectory(directory);
            Change("+a");
        }

        public void Dispose() => Change("-a");

        private void Change(string flag)
        {
            using HullProcess chattr = new(Machine.FindProgram("chattr")!, [flag, _directory], new Dictionary<string, string?>());
            chattr.Finish().Ok();
        }
    }
}
