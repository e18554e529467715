using Hull.Runtime.Checkpoints;

namespace Hull.Runtime.Tests.Checkpoints;

public sealed class CriuArgumentsTests
{
    private static readonly CriuOptions Common = new() { Id = "web", ImagePath = "/i", WorkPath = "/w" };

    private static readonly CheckpointNotes Notes = new(
        ["file[16:4]", "pipe:[77]", "pipe:[77]"], ["file[16:4]"], ["/shared"], new Dictionary<string, string> { ["/proc/kcore"] = "/dev/null" });

    [Fact]
    public void Dump_Plain_NamesWhatComesFromOutside() => Assert.Equal(
        "criu dump --tree 7 --root /r --log-file dump.log --images-dir /i --work-dir /w -v4 --evasive-devices --manage-cgroups=soft --freeze-cgroup /c "
        + "--external mnt[/shared]:/shared --external mnt[/proc/kcore]:/proc/kcore --external file[16:4]",
        string.Join(' ', CriuArguments.Dump(new CheckpointOptions(Common), 7, "/r", "/c", Notes)));

    [Fact]
    public void Dump_Options_AreCrius()
    {
        List<string> arguments = CriuArguments.Dump(
            new CheckpointOptions(Common with { TcpEstablished = true, EmptyNetwork = true, FileLocks = true }) { ParentPath = "../p", LeaveRunning = true, PageServer = "::1:27" },
            7, "/r", freezer: null, Notes);

        Assert.DoesNotContain("--freeze-cgroup", arguments);
        Assert.Subset(arguments.ToHashSet(), new HashSet<string>
        {
            "--tcp-established", "--file-locks", "--empty-ns", "net", "--prev-images-dir", "../p", "--track-mem", "--leave-running", "--page-server", "::1", "27",
        });
    }

    [Fact]
    public void Dump_PreDump_TracksMemory()
    {
        List<string> arguments = CriuArguments.Dump(new CheckpointOptions(Common) { PreDump = true }, 7, "/r", freezer: null, Notes);

        Assert.Equal("pre-dump", arguments[1]);
        Assert.Contains("--track-mem", arguments);
    }

    [Fact]
    public void Restore_Streams_AreInheritedFromTheFirstDescriptorOn()
    {
        string line = string.Join(' ', CriuArguments.Restore(
            new RestoreOptions(Common, "/b"), "/r", "/hull/web", "/p", Notes, new Dictionary<string, string> { ["/shared"] = "/mine" }, 3));

        Assert.Contains("--restore-sibling --restore-detached --pidfile /p --cgroup-root /hull/web", line, StringComparison.Ordinal);
        Assert.Contains("--external mnt[/shared]:/mine --external mnt[/proc/kcore]:/dev/null", line, StringComparison.Ordinal);
        Assert.EndsWith("--inherit-fd fd[3]:file[16:4] --inherit-fd fd[4]:pipe:[77] --inherit-fd fd[5]:pipe:[77]", line, StringComparison.Ordinal);
    }

    [Fact]
    public void Load_NoCheckpoint_SaysWhichDirectory() => Assert.StartsWith(
        "--image-path /nowhere: no checkpoint", Assert.Throws<ContainerException>(() => CheckpointNotes.Load("/nowhere")).Message, StringComparison.Ordinal);
}
