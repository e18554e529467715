using System.Text.Json.Nodes;
using Hull.Kernel.Tests.Harness;

namespace Hull.Kernel.Tests;

/// <summary>The mount option tmpcopyup of <c>hull runtime</c>.</summary>
public sealed class CopyUpTests(HullStore store) : KernelTest(store)
{
    private Bundle With(string script, string type, string destination, params string[] options)
    {
        Bundle bundle = new(Store, script);
        bundle.Config["mounts"]!.AsArray().Add(new JsonObject
        {
            ["destination"] = destination,
            ["type"] = type,
            ["source"] = type == "bind" ? bundle.Directory : type,
            ["options"] = new JsonArray([.. options.Select(word => JsonValue.Create(word))]),
        });
        return bundle;
    }

    [KernelFact(Needs.Root)]
    public void Run_TmpfsWithCopyUp_HasTheRootsFilesAndKeepsThemApart()
    {
        Bundle bundle = With("cat /data/a /data/link; echo more > /data/a; grep -c ' /data .* - tmpfs ' /proc/self/mountinfo; ls -ld /data", "tmpfs", "/data", "tmpcopyup", "nosuid", "size=1m");
        Directory.CreateDirectory($"{bundle.Directory}/rootfs/data");
        File.SetUnixFileMode($"{bundle.Directory}/rootfs/data", (UnixFileMode)0x1C9);
        File.WriteAllText($"{bundle.Directory}/rootfs/data/a", "of the root\n");
        File.CreateSymbolicLink($"{bundle.Directory}/rootfs/data/link", "a");

        string[] lines = bundle.Run().Ok().Split('\n');

        Assert.Equal(["of the root", "of the root", "1"], lines[..3]);
        Assert.StartsWith("drwx--x--x", lines[3], StringComparison.Ordinal);
        Assert.Equal("of the root\n", File.ReadAllText($"{bundle.Directory}/rootfs/data/a"));
    }

    [KernelFact(Needs.Root)]
    public void Run_CopyUpReadOnlyOrOfNothing_Holds()
    {
        Bundle bundle = With("cat /data/a; echo x > /data/a || echo read-only", "tmpfs", "/data", "tmpcopyup", "ro");
        Directory.CreateDirectory($"{bundle.Directory}/rootfs/data");
        File.WriteAllText($"{bundle.Directory}/rootfs/data/a", "kept\n");
        Assert.Equal("kept\nread-only", bundle.Run().Ok());

        Assert.Equal("0", With("ls /new | wc -l", "tmpfs", "/new", "tmpcopyup").Run().Ok());
    }

    [KernelFact(Needs.Root)]
    public void Run_CopyUpBelowOtherMounts_CopiesWhatTheyShowInTheSpecsOrder()
    {
        Bundle bundle = new(Store, "cat /bound/sub/file /link/file; echo changed > /bound/sub/file; cat /bound/sub/file; ls /bound/sub /dev/new");
        Directory.CreateDirectory($"{bundle.Directory}/rootfs/bound/sub");
        File.WriteAllText($"{bundle.Directory}/rootfs/bound/sub/file", "of the root\n");
        File.CreateSymbolicLink($"{bundle.Directory}/rootfs/link", "/bound/sub/twice");
        Directory.CreateDirectory($"{bundle.Directory}/host/sub/twice");
        File.WriteAllText($"{bundle.Directory}/host/sub/file", "of the bind mount\n");
        File.WriteAllText($"{bundle.Directory}/host/sub/twice/file", "of the copy\n");
        JsonArray mounts = bundle.Config["mounts"]!.AsArray();
        mounts.Add(new JsonObject { ["destination"] = "/bound", ["source"] = $"{bundle.Directory}/host", ["options"] = new JsonArray("bind") });
        foreach (string place in (string[])["/bound/sub", "/link", "/dev/new"])
        {
            // The second leads into the first; the third is on a file system that is new itself.
            mounts.Add(new JsonObject { ["destination"] = place, ["type"] = "tmpfs", ["options"] = new JsonArray("tmpcopyup") });
        }

        Assert.Equal("of the bind mount\nof the copy\nchanged\n/bound/sub:\nfile\ntwice\n\n/dev/new:", bundle.Run().Ok());
        Assert.Equal("of the bind mount\n", File.ReadAllText($"{bundle.Directory}/host/sub/file"));
    }

    [KernelFact(Needs.Root)]
    public void Run_CopyUpBelowAMountThatDoesNotFit_IsRefused()
    {
        Bundle bundle = new(Store, "true");
        Directory.CreateDirectory($"{bundle.Directory}/host/sub");
        File.WriteAllBytes($"{bundle.Directory}/host/sub/file", new byte[65536]);
        JsonArray mounts = bundle.Config["mounts"]!.AsArray();
        mounts.Add(new JsonObject { ["destination"] = "/bound", ["source"] = $"{bundle.Directory}/host", ["options"] = new JsonArray("bind") });
        mounts.Add(new JsonObject { ["destination"] = "/bound/sub", ["type"] = "tmpfs", ["options"] = new JsonArray("tmpcopyup", "size=4k") });

        bundle.Run().Fails(1, "tmpfs at /bound/sub", "ENOSPC");
    }

    [KernelFact(Needs.Root)]
    public void Run_CopyUpThatCannotBe_IsRefused()
    {
        With("true", "bind", "/data", "bind", "tmpcopyup").Run().Fails(1, "mounts: tmpcopyup of /data is for mounts of type tmpfs alone");
        Bundle small = With("true", "tmpfs", "/bin", "tmpcopyup", "size=4k");
        small.Run().Fails(1, "tmpfs at /bin", "ENOSPC");
    }
}
