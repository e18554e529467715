using Hull.Kernel.Tests.Harness;

namespace Hull.Kernel.Tests;

/// <summary>system check and gc; what kills, full and read-only disks and many processes at once leave of a store.</summary>
public sealed class StoreCheckTests(HullStore store) : KernelTest(store)
{
    private string LayerOf(string image) => Inspect(image, "{{.GraphDriver.Data.UpperDir}}");

    private void AssertWhole()
    {
        RunResult check = Store.Run(60, "system", "check");
        Assert.True(check.ExitCode == 0, check.Stdout + check.Stderr);
        Assert.StartsWith("no damage: ", check.Stdout, StringComparison.Ordinal);
    }

    [KernelFact(Needs.Overlay)]
    public void Check_ChangedLayer_IsNamedAndUnpackedAgain()
    {
        string program = LayerOf(Store.Busybox) + "/etc/passwd";
        string before = File.ReadAllText(program);
        AssertWhole();
        File.WriteAllText(program, "intruder:x:0:0:::");

        string damage = Store.Run("system", "check").Fails(1);
        Assert.Contains("damage: image busybox:latest: layer ", Store.Run("system", "check").Stdout, StringComparison.Ordinal);
        Assert.Contains("(hull system check --repair)", Store.Run("system", "check").Stdout, StringComparison.Ordinal);
        Assert.Equal("", damage);
        Assert.StartsWith("mended: image busybox:latest: layer ", Store.Run("system", "check", "--repair").Ok(), StringComparison.Ordinal);

        Assert.Equal(before, File.ReadAllText(program));
        AssertWhole();
    }

    [KernelFact(Needs.Overlay)]
    public void Check_LayerOfARunningContainer_StaysUntilItEnds()
    {
        string file = LayerOf(Store.Busybox) + "/etc/group";
        Detached("user");
        File.AppendAllText(file, "more");

        Assert.Contains("stop the containers that use it first", Store.Shell("$HULL system check --repair; true").Stdout, StringComparison.Ordinal);
        Store.RemoveContainers();
        Store.Run("system", "check", "--repair").Ok();

        AssertWhole();
    }

    [KernelFact(Needs.Overlay)]
    public void Check_MissingBlobAndDanglingReferenceAndLeftover_AreNamed()
    {
        Store.Run("create", "--name", "maker", Store.Busybox, "true").Ok();
        Store.Run("commit", "maker", "victim:1").Ok();
        string config = Inspect("victim:1", "{{.Id}}")["sha256:".Length..];
        File.Delete($"{Store.DataRoot}/images/blobs/sha256/{config}");
        File.CreateSymbolicLink($"{Store.DataRoot}/images/references/docker.io+library+lost:1", "../records/none.json");
        Directory.CreateDirectory($"{Store.DataRoot}/layers/new-1-killed");

        RunResult check = Store.Run("system", "check", "--repair");

        Assert.Equal(1, check.ExitCode);
        Assert.Contains("damage: image victim:1: its configuration is missing", check.Stdout, StringComparison.Ordinal);
        Assert.Contains("pull or load the image again", check.Stdout, StringComparison.Ordinal);
        Assert.Contains("mended: reference docker.io/library/lost:1: its image is gone", check.Stdout, StringComparison.Ordinal);
        Assert.Contains("mended: layers/new-1-killed: left by a process that was killed", check.Stdout, StringComparison.Ordinal);
        Store.Run("rmi", "victim:1").Ok();
        AssertWhole();
    }

    [KernelFact(Needs.Overlay)]
    public void CommitAndRemove_KilledAtAnyInstant_LoseNothingCommitted()
    {
        Store.Run("run", "--name", "source", Store.Busybox, "sh", "-c", "head -c 300000 /dev/urandom > /data").Ok();
        for (int step = 0; step < 20; step++)
        {
            Store.Run("commit", "source", $"kept:{step}").Ok();
            using HullProcess commit = Store.Start("commit", "-m", $"{step}", "source", $"half:{step}");
            using HullProcess remove = Store.Start("rmi", $"kept:{step}");
            Thread.Sleep(TimeSpan.FromMilliseconds(2 * step * Machine.TimeScale));
            commit.Kill();
            remove.Kill();
        }

        // Whatever is listed is whole and runs; what a kill left is swept, and only documents that restate others lag behind.
        Store.Run("system", "check", "--repair").Ok();
        AssertWhole();
        foreach (string image in Store.Run("images", "--format", "{{.Repository}}:{{.Tag}}", "--filter", "reference=half").Ok().Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            Assert.Equal("300000", Store.Run("run", "--rm", image, "stat", "-c", "%s", "/data").Ok());
        }

        Store.RemoveContainers();
        Store.Run(60, "image", "prune", "-af").Ok();
        Store.Run("load", "-i", Repository.Fixture("busybox")).Ok();
    }

    [KernelFact(Needs.Overlay)]
    public void ManyProcesses_AtOnce_LeaveTheStoreWhole()
    {
        _ = Store.Busybox;
        Store.Run("run", "--name", "many", Store.Busybox, "sh", "-c", "echo x > /many").Ok();
        string archive = Repository.Fixture("busybox");

        RunResult all = Store.Shell(
            "fail=0; run() { \"$@\" >/dev/null 2>>" + Store.Scratch + "/errors || echo \"$*\"; };"
            + $" for i in 1 2 3 4; do run $HULL load -i {archive}; done & "
            + " for i in 1 2 3 4; do run $HULL commit many many:$i; done & "
            + " for i in 1 2 3 4; do run $HULL tag busybox other:$i; run $HULL rmi other:$i; done & "
            + " for i in 1 2 3 4; do run $HULL image prune -f; done & "
            + " for i in 1 2 3 4; do run $HULL run --rm busybox true; done & "
            + " wait",
            60);

        Assert.Equal("", all.Stdout);
        AssertWhole();
        Assert.Equal("x", Store.Run("run", "--rm", "many:4", "cat", "/many").Ok());
        Store.RemoveContainers();
        Store.Run("rmi", "many:1", "many:2", "many:3", "many:4").Ok();
    }

    [KernelFact(Needs.Root)]
    public void Commit_DiskFull_SaysSoAndTheContainerGoesOn()
    {
        string small = Path.Combine(Store.Scratch, "small");
        Store.Shell($"mkdir {small} && mount -t tmpfs -o size=24m small {small}").Ok();
        string hull = $"HULL_DATA_ROOT={small}/data $HULL";
        try
        {
            Store.Shell($"{hull} load -i {Repository.Fixture("busybox")}").Ok();
            Store.Shell($"{hull} run -d --name full busybox sh -c 'head -c 8000000 /dev/urandom > /data; sleep 1000'").Ok();
            Wait.Until(() => Store.Shell($"{hull} exec full stat -c %s /data").Stdout.Trim() == "8000000", 10, () => "not written");
            Store.Shell($"head -c 100m /dev/zero > {small}/filler; truncate -s -1m {small}/filler").Fails(0);

            string error = Store.Shell($"{hull} commit full big:1").Fails(1);

            Assert.Contains("no space left", error, StringComparison.OrdinalIgnoreCase);
            Assert.Equal("running", Store.Shell($"{hull} inspect -f '{{{{.State.Status}}}}' full").Ok());
            Assert.Equal("busybox", Store.Shell($"{hull} images --format '{{{{.Repository}}}}'").Ok());
            Store.Shell($"rm {small}/filler").Ok();
            Assert.StartsWith("no damage", Store.Shell($"{hull} system check").Ok(), StringComparison.Ordinal);
        }
        finally
        {
            Store.Shell($"{hull} rm -f full; umount {small}").Ok();
        }
    }

    [KernelFact(Needs.Root)]
    public void ReadOnlyDisk_LooksAreServedAndChangesSayWhy()
    {
        string disk = Path.Combine(Store.Scratch, "read-only");
        Store.Shell($"mkdir {disk} && mount -t tmpfs -o size=20m disk {disk}").Ok();
        string hull = $"HULL_DATA_ROOT={disk}/data $HULL";
        try
        {
            Store.Shell($"{hull} load -i {Repository.Fixture("busybox")} && {hull} create --name made busybox true && mount -o remount,ro {disk}").Ok();

            Assert.Equal("busybox", Store.Shell($"{hull} images --format '{{{{.Repository}}}}'").Ok());
            Store.Shell($"{hull} history busybox && {hull} inspect busybox && {hull} save busybox > /dev/null").Ok();
            Store.Shell($"{hull} load -i {Repository.Fixture("busybox")}").Fails(1, "EROFS");
            Store.Shell($"{hull} rmi -f busybox").Fails(1, "EROFS");
            Store.Shell($"{hull} tag busybox other:1").Fails(1, "EROFS");
            Store.Shell($"{hull} commit made other:1").Fails(1, "EROFS");
            Store.Shell($"tar -C / -cf - etc/hostname | {hull} import - other:1").Fails(1, "EROFS");
            Store.Shell($"{hull} run --rm busybox true").Fails(125, "EROFS");
            Store.Shell($"{hull} system check").Ok();
            Store.Shell($"{hull} system gc").Ok();
        }
        finally
        {
            Store.Shell($"mount -o remount,rw {disk} && {hull} rm made; umount {disk}").Ok();
        }
    }

    [KernelFact(Needs.Overlay)]
    public void Collect_ByPolicy_TakesUnusedImagesOnly()
    {
        Store.Run("create", "--name", "uses", Store.Busybox, "true").Ok();
        Store.Run("commit", "uses", "unused:1").Ok();
        Assert.Equal("0 layers and 0 blobs would be removed: 0B", Store.Run("system", "gc", "--dry-run").Ok());

        Assert.StartsWith("image unused:1: would be removed\n", Store.Run("system", "gc", "--dry-run", "--min-age", "0s").Ok(), StringComparison.Ordinal);
        Assert.StartsWith("0 layers", Store.Run("system", "gc", "--min-age", "1h").Ok(), StringComparison.Ordinal);
        Assert.StartsWith("0 layers", Store.Run("system", "gc", "--disk-threshold", "100%").Ok(), StringComparison.Ordinal);
        string config = Path.Combine(Store.Scratch, "config.json");
        File.WriteAllText(config, """{"image-gc":{"min-age":"0s"}}""");
        Assert.StartsWith("image unused:1: removed\n", Store.Shell($"HULL_CONFIG={config} $HULL system gc").Ok(), StringComparison.Ordinal);

        Assert.Equal("busybox", Store.Run("images", "--format", "{{.Repository}}").Ok());
        Store.Run("system", "gc", "--disk-threshold", "150%").Fails(125, "from 1% to 100%");
        File.WriteAllText(config, """{"image-gc":{"min-age":"soon"}}""");
        Store.Shell($"HULL_CONFIG={config} $HULL system gc").Fails(1, "expected a duration such as 168h");
    }

    [KernelFact(Needs.Overlay)]
    public void Layers_DiffAndSquash_ShowWhatIsInAnImage()
    {
        Store.Run("run", "--name", "layered", Store.Busybox, "sh", "-c", "head -c 5000 /dev/zero > /five; rm /etc/group").Ok();
        Store.Run("commit", "layered", "two:1").Ok();
        Store.Run("run", "--name", "again", "two:1", "rm", "/five").Ok();
        Store.Run("commit", "again", "three:1").Ok();

        string[] layers = Store.Run("image", "layers", "three:1").Ok().Split('\n');
        string squashed = Store.Run("image", "squash", "three:1", "one:1").Ok();

        Assert.Matches("^LAYER +FILES +SIZE +HIDDEN FILES +WASTED +CREATED BY", layers[0]);
        Assert.Matches("^[0-9a-f]{12} +1 +5kB +1 +5kB +sh -c", layers[2]);
        Assert.Matches("^[0-9a-f]{12} +0 +0B +0 +0B +rm /five", layers[3]);
        Assert.Matches("^wasted: 5[.0-9]*kB of ", layers[4]);
        Assert.Equal("C /etc\nD /etc/group\nA /five", Store.Run("image", "diff", "busybox", "two:1").Ok());
        Assert.Equal("", Store.Run("image", "diff", "three:1", squashed).Ok());
        Assert.Equal("1", Inspect("one:1", "{{len .RootFS.Layers}}"));
        Store.Run("image", "diff", "busybox", "nothing").Fails(1, "No such image");
        Store.Run("image", "squash", "nothing").Fails(1, "No such image");
        Store.RemoveContainers();
        Store.Run("rmi", "one:1", "two:1", "three:1").Ok();
    }

    [KernelFact(Needs.Overlay)]
    public void SaveAndLoad_Platform_TakesWhatFitsOnly()
    {
        string path = Path.Combine(Store.Scratch, "platform.tar");
        string architecture = Inspect(Store.Busybox, "{{.Architecture}}");

        Store.Run("save", "-o", path, "--platform", "linux/s390x", "busybox").Fails(1, "does not provide the specified platform (linux/s390x)");
        Assert.False(File.Exists(path));
        Store.Run("save", "-o", path, "--platform", $"linux/{architecture}", "busybox").Ok();
        Store.Run("load", "-i", path, "--platform", "linux/s390x").Fails(1, "is not for linux/s390x");
        Assert.Contains("Loaded image: busybox:latest", Store.Run("load", "-i", path, "--platform", $"linux/{architecture}").Ok(), StringComparison.Ordinal);
    }

    [KernelFact(Needs.Overlay)]
    public void Manifest_List_IsMadeAnnotatedShownAndRemoved()
    {
        Store.Run("create", "--name", "other", Store.Busybox, "true").Ok();
        Store.Run("commit", "other", "other:1").Ok();
        Assert.Equal("Created manifest list docker.io/library/multi:1", Store.Run("manifest", "create", "multi:1", "busybox", "other:1").Ok());
        Store.Run("manifest", "create", "multi:1", "busybox").Fails(1, "--amend");

        Store.Run("manifest", "annotate", "--arch", "arm64", "--variant", "v8", "multi:1", "other:1").Ok();
        string list = Store.Run("manifest", "inspect", "multi:1").Ok();
        Store.RemoveContainers();
        Store.Run("rmi", "other:1").Ok();

        Assert.Contains("\"architecture\": \"arm64\"", list, StringComparison.Ordinal);
        Assert.Contains("\"mediaType\": \"application/vnd.oci.image.index.v1+json\"", list, StringComparison.Ordinal);
        Assert.Contains("\"layers\"", Store.Run("manifest", "inspect", "busybox").Ok(), StringComparison.Ordinal);
        // What the list needs outlives its image.
        Assert.Equal("0 layers and 0 blobs removed: 0B", Store.Run("system", "gc").Ok());
        Store.Run("manifest", "rm", "multi:1").Ok();
        Assert.Matches("^0 layers and [1-9] blobs removed", Store.Run("system", "gc").Ok());
        Store.Run("manifest", "rm", "multi:1").Fails(1, "No such manifest: multi:1");
        Store.Run("manifest", "annotate", "--os", "linux", "multi:1", "busybox").Fails(1, "No such manifest: multi:1");
    }
}
