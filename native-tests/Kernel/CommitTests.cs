using Hull.Kernel.Tests.Harness;

namespace Hull.Kernel.Tests;

/// <summary>commit, diff and export of containers that overlayfs has written to.</summary>
public sealed class CommitTests(HullStore store) : KernelTest(store)
{
    /// <summary>Something of each kind that a container can do to its image.</summary>
    private const string Changes =
        "echo new > /etc/new; rm /etc/group; mkdir -p /srv/a; echo x > /srv/a/x; ln /srv/a/x /srv/a/y; ln -s x /srv/a/z; chmod 4755 /srv/a/x;"
        + " chown 7:8 /srv/a; rm -r /home; mkdir /home; echo mine > /home/mine; mkfifo /srv/pipe; truncate -s 3M /srv/holes; mv /var /moved";

    private const string Look =
        "cat /etc/new /srv/a/y /home/mine; ls /etc/group 2>&1; stat -c '%n %a %u:%g %h %F' /srv/a /srv/a/x /srv/a/z /srv/pipe; ls /home; stat -c %s /srv/holes; ls /moved; ls -d /var 2>&1";

    private string Container(string name, string script) =>
        Store.Run("run", "--name", name, Store.Busybox, "sh", "-c", script) is { ExitCode: 0 } ? name : throw new InvalidOperationException(script);

    [KernelFact(Needs.Overlay)]
    public void Commit_ChangedContainer_TheImageShowsWhatTheContainerShowed()
    {
        string shown = Store.Run("run", "--name", "changed", Store.Busybox, "sh", "-c", $"({Changes}) && ({Look})").Stdout;

        string id = Store.Run("commit", "-m", "note", "-a", "who", "changed", "committed:1").Ok();

        Assert.Equal(id, Inspect("committed:1", "{{.Id}}"));
        Assert.Equal(shown, Store.Run("run", "--rm", "committed:1", "sh", "-c", Look).Stdout);
        Assert.Equal("who note", Inspect("committed:1", "{{.Author}} {{.Comment}}"));
        Store.Run("rm", "changed").Ok();
        Store.Run("rmi", "committed:1").Ok();
    }

    [KernelFact(Needs.Overlay)]
    public void Diff_FreshContainer_IsEmpty_AndNamesWhatChanges()
    {
        Container("fresh", "true");
        Assert.Equal("", Store.Run("diff", "fresh").Ok());

        Container("busy", "echo x > /etc/new; rm /etc/group; touch /home; mkdir /srv");
        Assert.Equal("C /etc\nD /etc/group\nA /etc/new\nC /home\nA /srv", Store.Run("container", "diff", "busy").Ok());
    }

    [KernelFact(Needs.Overlay)]
    public void Commit_EqualContainers_HaveAnEqualLayer()
    {
        const string Same = "mkdir /srv; echo a > /srv/a; echo b > /srv/b; touch -d @1000 /srv/a /srv/b /srv";
        Container("one", Same);
        Container("two", Same);
        Store.Run("commit", "one", "same:1").Ok();
        Store.Run("commit", "two", "same:2").Ok();

        Assert.Equal(Inspect("same:1", "{{json .RootFS.Layers}}"), Inspect("same:2", "{{json .RootFS.Layers}}"));
        Store.Run("rmi", "-f", "same:1", "same:2").Ok();
    }

    [KernelFact(Needs.Overlay)]
    public void Commit_WithChanges_TheImageStartsWithThem()
    {
        Store.Run("create", "--name", "plain", "-e", "A=1", "-l", "kept=yes", Store.Busybox, "sh").Ok();

        Store.Run("commit", "-c", "ENV B=2", "-c", "ENTRYPOINT [\"/bin/sh\", \"-c\"]", "-c", "CMD [\"echo $A$B; pwd\"]", "-c", "WORKDIR /tmp", "plain", "with:changes").Ok();

        Assert.Equal("12\n/tmp", Store.Run("run", "--rm", "with:changes").Ok());
        Assert.Equal("yes", Inspect("with:changes", "{{.Config.Labels.kept}}"));
        Store.Run("commit", "-c", "RUN true", "plain").Fails(1, "RUN is not a valid change command");
        Store.Run("rmi", "with:changes").Ok();
    }

    [KernelFact(Needs.Overlay)]
    public void Commit_Squash_IsOneLayer()
    {
        Container("squashed", "rm /etc/group; echo x > /etc/new");
        Store.Run("commit", "--squash", "squashed", "one-layer").Ok();

        Assert.Equal("1", Inspect("one-layer", "{{len .RootFS.Layers}}"));
        Assert.Equal("x", Store.Run("run", "--rm", "one-layer", "sh", "-c", "cat /etc/new; ls /etc/group 2>/dev/null").Stdout.Trim());
        Assert.Equal("", Store.Run("history", "--format", "{{.CreatedBy}}", "one-layer").Ok());
        Assert.Matches("^squashed from [0-9a-f]{12} and container [0-9a-f]{12}$", Store.Run("history", "--format", "{{.Comment}}", "one-layer").Ok());

        // As after commit and image squash, one after the other: hull's own places for mounts are no part of either.
        Store.Run("commit", "squashed", "two-layers").Ok();
        Store.Run("image", "squash", "two-layers", "one-after-two").Ok();
        Assert.Equal(["C /etc", "D /etc/group", "A /etc/new"], Store.Run("image", "diff", Store.Busybox, "one-layer").Ok().Split('\n'));
        Assert.Equal("", Store.Run("image", "diff", "one-after-two", "one-layer").Ok());
        Store.Run("rmi", "one-layer", "two-layers", "one-after-two").Ok();
    }

    [KernelFact(Needs.Overlay)]
    public void Commit_RunningContainer_GoesOnAfterwards()
    {
        Detached("alive", null, "sh", "-c", "echo x > /written; trap 'exit 7' TERM; echo ready; while :; do sleep 0.05; done");
        Wait.Until(() => Store.Run("logs", "alive").Stdout.Contains("ready", StringComparison.Ordinal), 10, () => "the container is not ready");

        Store.Run("commit", "alive", "from-running").Ok();

        Assert.Equal("running", Inspect("alive", "{{.State.Status}}"));
        Store.Run("stop", "alive").Ok();
        Assert.Equal("7", Inspect("alive", "{{.State.ExitCode}}"));
        Assert.Equal("x", Store.Run("run", "--rm", "from-running", "cat", "/written").Ok());
        Store.Run("rmi", "from-running").Ok();
    }

    [KernelFact(Needs.Overlay)]
    public void Commit_Killed_LeavesNoFrozenContainer()
    {
        Detached("large", null, "sh", "-c", "head -c 60000000 /dev/urandom > /data; echo ready; sleep 1000");
        Wait.Until(() => Store.Run("logs", "large").Stdout.Contains("ready", StringComparison.Ordinal), 20, () => "the container is not ready");

        using HullProcess commit = Store.Start("commit", "large", "never:1");
        Wait.For(() => commit.HasExited || Inspect("large", "{{.State.Status}}") == "paused", 10);
        commit.Kill();

        Wait.Until(() => Inspect("large", "{{.State.Status}}") == "running", 10, () => "the container stays frozen");
        Store.Run("exec", "large", "true").Ok();
        // The half blob is swept by whoever looks next.
        Assert.DoesNotContain("never", Store.Run("images").Ok(), StringComparison.Ordinal);
    }

    [KernelFact(Needs.Overlay)]
    public void Commit_PausedContainer_StaysPaused()
    {
        Detached("asleep");
        Store.Run("pause", "asleep").Ok();

        Store.Run("commit", "asleep", "from-paused").Ok();

        Assert.Equal("paused", Inspect("asleep", "{{.State.Status}}"));
        Store.Run("rmi", "from-paused").Ok();
    }

    [KernelFact(Needs.Overlay)]
    public void Commit_ImageRemovedByForce_SaysWhatToDo()
    {
        Store.Run("tag", Store.Busybox, "kept:1").Ok();
        Container("orphan", "true");
        Store.Run("save", "-o", Path.Combine(Store.Scratch, "kept.tar"), "kept:1", Store.Busybox).Ok();
        Store.Run("rmi", "-f", Inspect(Store.Busybox, "{{.Id}}")).Ok();

        Store.Run("commit", "orphan", "impossible:1").Fails(1, "hull export orphan | hull import -");

        Store.Run("load", "-i", Path.Combine(Store.Scratch, "kept.tar")).Ok();
        Store.Run("rmi", "kept:1").Ok();
    }

    [KernelTheory(Needs.Root)]
    [InlineData("No such container: nobody", "commit", "nobody")]
    [InlineData("No such container: nobody", "diff", "nobody")]
    [InlineData("No such container: nobody", "export", "nobody")]
    [InlineData("invalid reference format", "commit", "nobody", "Not A Name")]
    public void Wrong_SaysSo(string problem, params string[] arguments) => Store.Run(arguments).Fails(1, problem);

    [KernelFact(Needs.Overlay)]
    public void Export_ImportedAgain_HasTheSameFiles()
    {
        Container("exported", Changes);
        string path = Path.Combine(Store.Scratch, "exported.tar");
        Store.Run("export", "-o", path, "exported").Ok();

        string listed = Store.Shell($"tar tf {path}").Ok();
        Store.Shell($"$HULL export exported | $HULL import - imported:1", 60).Ok();

        Assert.Contains("home/mine", listed, StringComparison.Ordinal);
        Assert.DoesNotContain("etc/group", listed, StringComparison.Ordinal);
        Assert.DoesNotContain(".wh.", listed, StringComparison.Ordinal);
        string shown = Store.Run("run", "--rm", "imported:1", "/bin/sh", "-c", Look).Stdout;
        Assert.Contains("/srv/a/x 4755 0:0 2 regular file", shown, StringComparison.Ordinal);
        Assert.Contains("/srv/a 755 7:8", shown, StringComparison.Ordinal);
        Store.Run("rmi", "imported:1").Ok();
    }

    [KernelFact(Needs.Skopeo)]
    public void Commit_SavedAgain_IsReadBySkopeoWithTheSameLayers()
    {
        Container("second-opinion", Changes);
        Store.Run("commit", "second-opinion", "saved:1").Ok();
        string path = Path.Combine(Store.Scratch, "committed.tar");
        Store.Run(60, "save", "-o", path, "saved:1").Ok();

        string layers = Store.Shell($"skopeo copy -q docker-archive:{path} oci:{path}.oci:x && skopeo inspect --config oci:{path}.oci:x").Ok();

        foreach (string diffId in Inspect("saved:1", "{{join .RootFS.Layers \" \"}}").Split(' '))
        {
            Assert.Contains(diffId, layers, StringComparison.Ordinal);
        }

        Store.Run("rmi", "saved:1").Ok();
    }

    [KernelFact(Needs.Overlay)]
    public void Commit_InAUserNamespace_HasTheContainersIds()
    {
        RunResult run = Store.Run("run", "--name", "mapped", "--userns", "remap:0:100000:65536", Store.Busybox, "sh", "-c", "echo x > /mine; chown 7:8 /mine");
        if (run.Stderr.Contains("Linux 6.13", StringComparison.Ordinal))
        {
            Assert.Skip("layers by descriptor need Linux 6.13");
        }

        run.Ok();
        Store.Run("commit", "mapped", "unmapped:1").Ok();

        Assert.Equal("7:8 0:0", Store.Run("run", "--rm", "unmapped:1", "sh", "-c", "echo $(stat -c %u:%g /mine /etc)").Ok());
        Store.Run("rmi", "unmapped:1").Ok();
    }
}
