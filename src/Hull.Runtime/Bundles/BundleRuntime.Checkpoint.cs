using Hull.Linux;
using Hull.Oci.RuntimeSpec;
using Hull.Runtime.Cgroups;
using Hull.Runtime.Checkpoints;

namespace Hull.Runtime.Bundles;

/// <summary>Writing a running container to files, with criu(8).</summary>
public sealed partial class BundleRuntime
{
    /// <summary>Writes a running container to images; it is gone afterwards, but for a pre-dump or where it is to run on.</summary>
    /// <exception cref="ContainerException">It is not running, has what cannot be given anew, or criu refused; it then runs on.</exception>
    public void Checkpoint(CheckpointOptions options)
    {
        options.Check();
        using FileLock held = _store.Lock(options.Id, out ContainerState state);
        if (Status(state) is not "running" and var status)
        {
            throw new ContainerException(ContainerFault.Engine, $"cannot checkpoint a {status} container");
        }

        Spec spec = SpecOf(options.Id);
        RefuseWhatCannotBeRestored(spec);
        Files.MakeDirectories(options.ImagePath, 0x1C0);
        Files.MakeDirectories(options.WorkPath, 0x1C0);
        CheckpointNotes notes = CheckpointNotes.Of(state.Pid, spec);
        notes.Save(options.ImagePath);
        using (ContainerCgroup cgroup = CgroupOf(state))
        {
            CriuProgram.Run(
                options.Program, CriuArguments.Dump(options, state.Pid, state.Rootfs, cgroup.FreezerDirectory, notes), [],
                Path.Combine(options.WorkPath, CriuArguments.DumpLog));
        }

        if (!options.PreDump && !options.LeaveRunning)
        {
            Destroy(state);
        }
    }

    /// <summary>What criu's command line has no words for.</summary>
    private static void RefuseWhatCannotBeRestored(Spec spec)
    {
        string? reason = spec.Process?.Terminal == true
            ? "process.terminal: a terminal whose master is elsewhere cannot be written to a checkpoint"
            : (spec.Linux?.Namespaces ?? []).FirstOrDefault(one => one.Path is { Length: > 0 }) is { } joined
                ? $"linux.namespaces: the {joined.Type} namespace is {joined.Path}'s: only namespaces of the container's own can be written to a checkpoint"
                : null;
        if (reason is not null)
        {
            throw new ContainerException(ContainerFault.Engine, reason);
        }
    }
}
