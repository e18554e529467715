using Hull.Kernel.Tests.Harness;

namespace Hull.Kernel.Tests;

/// <summary>history, system df and the prunes.</summary>
public sealed class HousekeepingTests(HullStore store) : KernelTest(store)
{
    [KernelFact(Needs.Overlay)]
    public void History_CommittedImage_TellsItsSteps()
    {
        Store.Run("run", "--name", "maker", Store.Busybox, "sh", "-c", "echo 12345 > /new").Ok();
        Store.Run("commit", "-m", "a note", "maker", "made:1").Ok();

        string[] lines = Store.Run("history", "made:1").Ok().Split('\n');

        Assert.Matches("^IMAGE +CREATED +CREATED BY +SIZE +COMMENT", lines[0]);
        Assert.Matches("^[0-9a-f]{12} +Less than a second ago|second.* ago +sh -c echo 12345 > /new +6B +a note", lines[1]);
        Assert.StartsWith("<missing>", lines[2], StringComparison.Ordinal);
        Assert.Equal(Inspect("made:1", "{{.Id}}"), Store.Run("image", "history", "-q", "--no-trunc", "made:1").Ok().Split('\n')[0]);
        Assert.Equal("6", Store.Run("history", "--human=false", "--format", "{{.Size}}", "made:1").Ok().Split('\n')[0]);
        Store.Run("history", "nothing").Fails(1, "No such image: nothing:latest");
        Store.Run("rmi", "made:1").Ok();
    }

    [KernelFact(Needs.Overlay)]
    public void Images_BeforeAndSince_CompareWithAnotherImage()
    {
        Store.Run("create", "--name", "later", Store.Busybox, "true").Ok();
        Store.Run("commit", "later", "later:1").Ok();

        Assert.Equal("later", Store.Run("images", "--filter", "since=busybox", "--format", "{{.Repository}}").Ok());
        Assert.Equal("busybox", Store.Run("image", "ls", "-f", "before=later:1", "--format", "{{.Repository}}").Ok());
        Store.Run("images", "-f", "before=nothing").Fails(1, "No such image");
        Assert.Contains("└─ linux/", Store.Run("images", "--tree").Ok(), StringComparison.Ordinal);
        Store.Run("images", "--tree", "-q").Fails(1, "--quiet is not yet supported with --tree");
        Store.Run("rmi", "later:1").Ok();
    }

    [KernelFact(Needs.Overlay)]
    public void DiskUsage_ImageContainerAndVolume_AreCounted()
    {
        Store.Run("run", "--name", "writer", "-v", "df-volume:/data", Store.Busybox, "sh", "-c", "head -c 5000 /dev/zero > /data/f; head -c 3000 /dev/zero > /own").Ok();

        string[] rows = Store.Run("system", "df").Ok().Split('\n');
        string details = Store.Run("system", "df", "-v").Ok();

        Assert.Matches("^TYPE +TOTAL +ACTIVE +SIZE +RECLAIMABLE", rows[0]);
        Assert.Matches("^Images +1 +1 +[0-9.]+[kM]B +0B \\(0%\\)$", rows[1]);
        Assert.Matches("^Containers +1 +0 +3kB +3kB \\(100%\\)$", rows[2]);
        Assert.Matches("^Local Volumes +1 +1 +5kB +0B \\(0%\\)$", rows[3]);
        Assert.Matches("^Build Cache +0 +0 +0B +0B$", rows[4]);
        Assert.Matches("busybox +latest +[0-9a-f]{12} .* 0B +[0-9.]+[kM]B +1\n", details);
        Assert.Matches("df-volume +1 +5kB\n", details);
        Assert.Equal("1", Store.Run("system", "df", "--format", "{{.Active}}").Ok().Split('\n')[0]);
        Store.Run("rm", "writer").Ok();
        Assert.Contains("df-volume", Store.Run("volume", "prune", "-af").Ok(), StringComparison.Ordinal);
    }

    [KernelFact(Needs.Overlay)]
    public void ContainerPrune_RemovesWhatDoesNotRun_AndSaysWhatItFreed()
    {
        string running = Detached("stays");
        Store.Run("run", "--name", "goes", "-l", "kind=old", Store.Busybox, "sh", "-c", "head -c 4000 /dev/zero > /own").Ok();
        string id = Inspect("goes", "{{.Id}}");

        Assert.Equal("Total reclaimed space: 0B", Store.Run("container", "prune", "-f", "--filter", "label!=kind").Ok());
        Assert.Equal("Total reclaimed space: 0B", Store.Run("container", "prune", "-f", "--filter", "until=1h").Ok());
        Assert.Equal($"Deleted Containers:\n{id}\n\nTotal reclaimed space: 4kB", Store.Run("container", "prune", "-f", "--filter", "label=kind=old").Ok());
        Assert.Equal(running, Store.Run("ps", "-q", "--no-trunc").Ok());
        Store.Run("container", "prune", "-f", "--filter", "until=soon").Fails(125, "no time");
    }

    [KernelFact(Needs.Overlay)]
    public void Prune_WithoutAYes_RemovesNothing()
    {
        Store.Run("create", "--name", "spared", Store.Busybox, "true").Ok();

        Assert.Contains("WARNING!", Store.Shell("echo n | $HULL system prune -a").Stdout, StringComparison.Ordinal);

        Assert.Equal("spared", Store.Run("ps", "-a", "--format", "{{.Names}}").Ok());
    }

    [KernelFact(Needs.Overlay)]
    public void ImagePrune_Dangling_KeepsNamedAndUsedImages()
    {
        Store.Run("create", "--name", "source", Store.Busybox, "true").Ok();
        string dangling = Store.Run("commit", "-m", "one", "source").Ok();
        string used = Store.Run("commit", "-m", "two", "source").Ok();
        Store.Run("commit", "-m", "three", "source", "named:1").Ok();
        Store.Run("create", "--name", "user", used, "true").Ok();

        string pruned = Store.Run("image", "prune", "-f").Ok();

        Assert.Contains($"deleted: {dangling}", pruned, StringComparison.Ordinal);
        Assert.DoesNotContain(used, pruned, StringComparison.Ordinal);
        Store.Run("inspect", used).Ok();
        Store.Run("inspect", "named:1").Ok();
        Assert.Contains("untagged: named:1", Store.Run("image", "prune", "-af", "--filter", "until=0s").Ok(), StringComparison.Ordinal);
        Store.Run("inspect", Store.Busybox).Ok();
        Store.RemoveContainers();
        Store.Run("rmi", used).Ok();
    }

    [KernelFact(Needs.Overlay)]
    public void SystemPrune_TakesEverythingUnused()
    {
        Store.Run("run", "--name", "done", "-v", "/data", Store.Busybox, "sh", "-c", "head -c 2000 /dev/zero > /data/f").Ok();
        Store.Run("create", "--name", "keeper", Store.Busybox, "true").Ok();
        string dangling = Store.Run("commit", "done").Ok();
        Detached("runs");

        string pruned = Store.Run("system", "prune", "-f", "--volumes").Ok();

        Assert.Contains("Deleted Containers:", pruned, StringComparison.Ordinal);
        Assert.Contains("Deleted Volumes:", pruned, StringComparison.Ordinal);
        Assert.Contains($"deleted: {dangling}", pruned, StringComparison.Ordinal);
        Assert.Matches("Total reclaimed space: [0-9.]+[kM]?B$", pruned);
        Assert.Equal("runs", Store.Run("ps", "-a", "--format", "{{.Names}}").Ok());
        Store.Run("system", "prune", "-f", "--volumes", "--filter", "until=1h").Fails(1, "not supported with");
    }
}
