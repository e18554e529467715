using Hull.Kernel.Tests.Harness;

namespace Hull.Kernel.Tests;

/// <summary>load, save, import, tag, rmi, images, against Debian's skopeo as the other party.</summary>
public sealed class ImageTests(HullStore store) : KernelTest(store)
{
    private string Scratch(string name) => Path.Combine(Store.Scratch, name);

    private string ImageId => Inspect(Store.Busybox, "{{.Id}}");

    [KernelTheory(Needs.Skopeo)]
    [InlineData("docker-archive:{0}:again:1")]
    [InlineData("oci-archive:{0}:again:1")]
    [InlineData("oci:{0}:again:1")]
    public void Load_WhatSkopeoWrites_Runs(string destination)
    {
        string path = Scratch("from-skopeo");
        Store.Shell($"skopeo copy -q docker-archive:{Repository.Fixture("busybox")} {string.Format(System.Globalization.CultureInfo.InvariantCulture, destination, path)}").Ok();

        string loaded = Store.Run(60, "load", "-i", path).Ok();

        Assert.Contains("again:1", loaded, StringComparison.Ordinal);
        Assert.Equal("works", Store.Run("run", "--rm", "again:1", "echo", "works").Ok());
        Store.Run("rmi", "again:1").Ok();
        Store.Shell($"rm -rf {path}").Ok();
    }

    [KernelTheory(Needs.Root)]
    [InlineData("gzip -c")]
    [InlineData("xz -c -0")]
    [InlineData("zstd -q -c")]
    public void Load_CompressedFromStandardInput_Runs(string compressor)
    {
        if (Machine.FindProgram(compressor.Split(' ')[0]) is null)
        {
            Assert.Skip($"{compressor.Split(' ')[0]} is not installed");
        }

        Store.Shell($"{compressor} {Repository.Fixture("busybox")} | $HULL load", 60).Ok();

        Assert.Equal("works", Store.Run("run", "--rm", "busybox", "echo", "works").Ok());
    }

    [KernelFact(Needs.Skopeo)]
    public void Save_Archive_IsReadBySkopeoWithTheSameConfig()
    {
        string path = Scratch("saved.tar");
        Store.Run(60, "save", "-o", path, Store.Busybox).Ok();

        string saved = Store.Shell($"skopeo inspect --config --raw docker-archive:{path} | sha256sum").Ok();
        string original = Store.Shell($"skopeo inspect --config --raw docker-archive:{Repository.Fixture("busybox")} | sha256sum").Ok();

        Assert.Equal(original, saved);
    }

    [KernelFact(Needs.Root)]
    public void Save_ToPipeAndBack_IsTheSameImage()
    {
        string before = ImageId;
        string path = Scratch("round.tar");
        Store.Shell($"$HULL save {Store.Busybox} > {path} && $HULL rmi {Store.Busybox} && $HULL load -i {path}", 60).Ok();

        Assert.Equal(before, ImageId);
    }

    [KernelFact(Needs.Root)]
    public void Load_Twice_IsOneImage()
    {
        _ = Store.Busybox;
        Store.Run(60, "load", "-i", Repository.Fixture("busybox")).Ok();

        Assert.Single(Store.Run("images", "-q", "--filter", "reference=busybox").Ok().Split('\n'));
    }

    [KernelFact(Needs.Root)]
    public void Images_Columns_AreDockers()
    {
        _ = Store.Busybox;

        string[] lines = Store.Run("images").Ok().Split('\n');

        Assert.Matches("^REPOSITORY +TAG +IMAGE ID +CREATED +SIZE", lines[0]);
        Assert.Contains(lines, line => System.Text.RegularExpressions.Regex.IsMatch(line, "^busybox +latest +[0-9a-f]{12} +.* ago +[0-9.]+[kM]B"));
    }

    [KernelFact(Needs.Root)]
    public void Tag_NewName_RunsAndGoesAlone()
    {
        Store.Run("tag", Store.Busybox, "registry.example:5000/team/box:v1").Ok();

        Assert.Equal("x", Store.Run("run", "--rm", "registry.example:5000/team/box:v1", "echo", "x").Ok());
        Assert.Contains("Untagged: registry.example:5000/team/box:v1", Store.Run("rmi", "registry.example:5000/team/box:v1").Ok(), StringComparison.Ordinal);
        Assert.Equal("x", Store.Run("run", "--rm", Store.Busybox, "echo", "x").Ok());
    }

    [KernelFact(Needs.Root)]
    public void Run_ByImageIdPrefix_Works()
    {
        string id = Store.Run("images", "-q", Store.Busybox).Ok();

        Assert.Equal("x", Store.Run("run", "--rm", id, "echo", "x").Ok());
    }

    [KernelFact(Needs.Root)]
    public void RemoveImage_InUse_WantsForce()
    {
        string id = Detached("user");

        Store.Run("rmi", ImageId).Fails(1, id[..12]);
    }

    [KernelFact(Needs.Root)]
    public void Import_TreeFromPipe_IsAnImage()
    {
        Store.Shell($"tar c -C {Repository.BusyboxRootfs} . | $HULL import - imported:1", 60).Ok();

        Assert.Equal("x", Store.Run("run", "--rm", "imported:1", "/bin/echo", "x").Ok());
        Store.Run("rmi", "imported:1").Ok();
    }

    [KernelFact(Needs.Overlay)]
    public void Load_TrickyImage_ComesOutAsItsLayersSay()
    {
        string tricky = Store.Image("tricky");
        Store.Run("run", "-d", "--name", "tricky-box", tricky, "sleep", "1000").Ok();
        string pid = Inspect("tricky-box", "{{.State.Pid}}");

        // The checker stands beside the generator; python reads the names as bytes.
        RunResult check = Store.Shell($"python3 {Path.Combine(Repository.Out, "..", "rootfs-fixtures", "tricky")} --check /proc/{pid}/root", 60);

        Assert.True(check.ExitCode == 0, check.Stdout + check.Stderr);
    }

    [KernelTheory(Needs.Root)]
    [InlineData("empty", "")]
    [InlineData("garbage", "this is not an archive, it only looks like text, and goes on for a while")]
    public void Load_NoArchive_FailsAndLeavesNothing(string name, string content)
    {
        string path = Scratch(name);
        File.WriteAllText(path, content);
        string before = Store.Run("images", "-q").Ok();

        Store.Run("load", "-i", path).Fails(1, name == "empty" ? "empty" : path);

        Assert.Equal(before, Store.Run("images", "-q").Ok());
        AssertNoStaging();
    }

    [KernelTheory(Needs.Root)]
    [InlineData(600)]
    [InlineData(100_000)]
    [InlineData(2_000_000)]
    public void Load_TruncatedArchive_FailsAndLeavesNothing(int length)
    {
        string path = Scratch("truncated.tar");
        File.WriteAllBytes(path, File.ReadAllBytes(Repository.Fixture("debian"))[..length]);

        Store.Run("load", "-i", path).Fails(1);

        Assert.Equal("", Store.Run("images", "-q", "debian").Ok());
        AssertNoStaging();
    }

    [KernelFact(Needs.Root)]
    public void Load_HeaderDeclaresNineGigabytesAndStops_FailsAndLeavesNothing()
    {
        Store.Run("load", "-i", Repository.Fixture("tricky-truncated")).Fails(1);

        Assert.Equal("", Store.Run("images", "-q", "tricky-truncated").Ok());
        AssertNoStaging();
    }

    [KernelFact(Needs.Root)]
    public void Load_MissingFile_NamesIt()
    {
        Store.Run("load", "-i", "/no/such/archive.tar").Fails(1, "/no/such/archive.tar");
    }

    [KernelFact(Needs.Root)]
    public void Load_KilledAtAnyInstant_LeavesAStoreThatWorks()
    {
        for (int milliseconds = 1; milliseconds <= 200; milliseconds += 13)
        {
            using HullProcess load = Store.Start("load", "-i", Repository.Fixture("debian"));
            Thread.Sleep(milliseconds * Machine.TimeScale);
            load.Kill();
        }

        Store.Run(120, "load", "-i", Repository.Fixture("debian")).Ok();
        Assert.Contains("Debian", Store.Run("run", "--rm", "debian", "cat", "/etc/os-release").Ok(), StringComparison.Ordinal);
        AssertNoStaging();
        Store.Run("rmi", "debian").Ok();
    }

    private void AssertNoStaging() => Assert.Equal("", Store.Shell($"find {Store.DataRoot} -name 'new-*' | head").Ok());
}
