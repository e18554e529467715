namespace Hull.Runtime.Checkpoints;

/// <summary>criu(8)'s command lines.</summary>
internal static class CriuArguments
{
    public const string DumpLog = "dump.log";
    public const string RestoreLog = "restore.log";

    /// <param name="freezer">The container's cgroup directory: criu stops all in it at once.</param>
    public static List<string> Dump(CheckpointOptions options, int pid, string rootfs, string? freezer, CheckpointNotes notes)
    {
        List<string> arguments = ["criu", options.PreDump ? "pre-dump" : "dump", "--tree", Number(pid), "--root", rootfs, "--log-file", DumpLog];
        AddCommon(arguments, options);
        // What changes from here on is what the next one writes.
        Add(arguments, options.PreDump || options.ParentPath is not null, "--track-mem");
        Add(arguments, options.LeaveRunning, "--leave-running");
        Add(arguments, options.LinkRemap, "--link-remap");
        Add(arguments, options.SkipInFlight, "--skip-in-flight");
        Add(arguments, options.ParentPath, "--prev-images-dir");
        Add(arguments, freezer, "--freeze-cgroup");
        if (options.PageServer is { } server)
        {
            int colon = server.LastIndexOf(':');
            arguments.AddRange(["--page-server", "--address", colon > 0 ? server[..colon] : server, "--port", server[(colon + 1)..]]);
        }

        foreach (string mounted in notes.BindMounts.Concat(notes.Devices.Keys))
        {
            arguments.AddRange(["--external", $"mnt[{mounted}]:{mounted}"]);
        }

        foreach (string stream in notes.Streams.Where(stream => stream.StartsWith("file[", StringComparison.Ordinal)).Distinct())
        {
            arguments.AddRange(["--external", stream]);
        }

        return arguments;
    }

    /// <param name="rootfs">A mount point: the container's root is a copy of that mount.</param>
    /// <param name="sources">What lies on each bind mount's place now.</param>
    /// <param name="firstStream">The descriptor that is to be the container's standard input; output and error follow.</param>
    public static List<string> Restore(
        RestoreOptions options, string rootfs, string cgroup, string pidFile, CheckpointNotes notes, IReadOnlyDictionary<string, string> sources, int firstStream)
    {
        List<string> arguments =
        [
            "criu", "restore", "--root", rootfs, "--log-file", RestoreLog,
            // The first process is our child, as one that we had cloned, and criu does not stay.
            "--restore-sibling", "--restore-detached", "--pidfile", pidFile, "--cgroup-root", cgroup,
            // The newer engine wants each external mount's source to be a mount point (criu 3.16 on).
            "--mntns-compat-mode",
        ];
        AddCommon(arguments, options);
        Add(arguments, options.LsmProfile, "--lsm-profile");
        Add(arguments, options.LsmMountContext, "--lsm-mount-context");
        foreach ((string mounted, string source) in sources.Concat(notes.Devices))
        {
            arguments.AddRange(["--external", $"mnt[{mounted}]:{source}"]);
        }

        for (int i = 0; i < notes.Streams.Count; i++)
        {
            arguments.AddRange(["--inherit-fd", $"fd[{Number(firstStream + i)}]:{notes.Streams[i]}"]);
        }

        return arguments;
    }

    private static void AddCommon(List<string> arguments, CriuOptions options)
    {
        arguments.AddRange(["--images-dir", options.ImagePath, "--work-dir", options.WorkPath, "-v4", "--evasive-devices", $"--manage-cgroups={options.CgroupMode}"]);
        Add(arguments, options.TcpEstablished, "--tcp-established");
        Add(arguments, options.ExternalUnixSockets, "--ext-unix-sk");
        Add(arguments, options.ShellJob, "--shell-job");
        Add(arguments, options.FileLocks, "--file-locks");
        Add(arguments, options.AutoDeduplicate, "--auto-dedup");
        Add(arguments, options.EmptyNetwork ? "net" : null, "--empty-ns");
    }

    private static void Add(List<string> arguments, bool flag, string word)
    {
        if (flag)
        {
            arguments.Add(word);
        }
    }

    private static void Add(List<string> arguments, string? value, string word)
    {
        if (value is not null)
        {
            arguments.AddRange([word, value]);
        }
    }

    private static string Number(int value) => value.ToString(System.Globalization.CultureInfo.InvariantCulture);
}
