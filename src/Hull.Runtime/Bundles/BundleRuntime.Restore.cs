using System.Globalization;
using System.Text;
using Hull.Linux;
using Hull.Oci.RuntimeSpec;
using Hull.Runtime.Checkpoints;
using Microsoft.Win32.SafeHandles;

namespace Hull.Runtime.Bundles;

/// <summary>Making a container from the images of a checkpoint, with criu(8).</summary>
public sealed partial class BundleRuntime
{
    private const string RestoredPid = "restored.pid";

    /// <summary>Makes a container of a bundle and a checkpoint; it goes on where it was.</summary>
    /// <param name="wait">Waits for the process behind a pidfd, a child of ours, and returns its exit code.</param>
    /// <returns>0 where detached, otherwise the exit code; the container is removed then.</returns>
    public int Restore(RestoreOptions options, Func<SafeFileHandle, int> wait)
    {
        options.Check();
        using FileLock claim = _store.Claim(options.Id);
        using Undo undo = NewUndo(options.Id);
        ContainerState state = Restore(options, undo);
        SafeFileHandle process = undo.Own(PidFd.TryOpen(state.Pid)
            ?? throw new ContainerException(ContainerFault.Engine, "the container has ended while it was restored"));
        undo.Push(() => PidFd.SendSignal(process, SigKill));
        PidFile.Write(options.PidFile, state.Pid);
        RuntimeStore.Made(claim);
        // The container is made: a poststart hook may exec into it, which takes this lock.
        claim.Dispose();
        BundleHooks.Poststart(state, Warn);
        if (options.Detach)
        {
            undo.Commit();
            return 0;
        }

        return wait(process);
    }

    private ContainerState Restore(RestoreOptions options, Undo undo)
    {
        CheckpointNotes notes = CheckpointNotes.Load(options.ImagePath);
        Spec spec = BundleSpec.WithSourcesOf(BundleSpec.Read(options.Bundle, out byte[] text), options.Bundle);
        RefuseWhatCannotBeRestored(spec);
        RefuseHooksOfTheCreation(spec.Hooks);
        using BundleGround ground = NewGround(spec, options.Id, options.Bundle, callersKeyring: false);
        MakeCgroup(ground, spec.Linux?.Resources, undo);
        ContainerState state = ground.State;

        Files.MakeDirectories(options.WorkPath, 0x1C0);
        // Where the root is a mount point for criu, and nobody else sees it.
        PrivateMountNamespace.Enter();
        Mounts.Mount(state.Rootfs, state.Rootfs, null, MountFlags.Bind | MountFlags.Recursive);
        string pidFile = Path.Combine(_store.DirectoryOf(options.Id), RestoredPid);
        // criu does not write over one.
        undo.Push(() => Files.Unlink(null, pidFile));
        using SafeFileHandle nothing = Files.Open("/dev/null", OpenFlags.ReadWrite);
        SafeFileHandle[] streams =
            [.. notes.Streams.Select((stream, number) => notes.Nulls.Contains(stream) ? nothing : new SafeFileHandle(number, ownsHandle: false))];
        CriuProgram.Run(
            options.Program,
            CriuArguments.Restore(options, state.Rootfs, state.CgroupPath, pidFile, notes, Sources(spec, notes), CriuProgram.FirstStream),
            streams,
            Path.Combine(options.WorkPath, CriuArguments.RestoreLog));

        int pid;
        using (SafeFileHandle file = Files.Open(pidFile, OpenFlags.ReadOnly))
        {
            pid = int.Parse(Encoding.ASCII.GetString(Files.ReadAll(file, 64, pidFile)), CultureInfo.InvariantCulture);
        }

        Files.Unlink(null, pidFile);
        if (spec.Process?.NoNewPrivileges == true && !HasNoNewPrivileges(pid))
        {
            Warn("process.noNewPrivileges: this criu does not restore it: set-user-ID programs have effect in the restored container");
        }

        state = ground.Born(pid);
        _store.SaveSpec(options.Id, text);
        _store.Save(state);
        return state;
    }

    /// <summary>They would run in the middle of criu's work, of which its command line tells nothing.</summary>
    private static void RefuseHooksOfTheCreation(Oci.RuntimeSpec.Hooks? hooks)
    {
        string? stage = hooks switch
        {
            { Prestart.Count: > 0 } => "prestart",
            { CreateRuntime.Count: > 0 } => "createRuntime",
            { CreateContainer.Count: > 0 } => "createContainer",
            _ => null,
        };
        if (stage is not null)
        {
            throw new ContainerException(ContainerFault.Engine, $"hooks.{stage}: a restore does not run it: take it out of the bundle's config.json and do its work beforehand");
        }
    }

    /// <summary>What the spec puts on each place that was a bind mount.</summary>
    /// <exception cref="ContainerException">The spec has none for a place of the checkpoint's.</exception>
    private static Dictionary<string, string> Sources(Spec spec, CheckpointNotes notes)
    {
        Dictionary<string, string> sources = new(StringComparer.Ordinal);
        foreach (Mount mount in (spec.Mounts ?? []).Where(mount => mount is { IsBind: true, Source: not null }))
        {
            sources[CheckpointNotes.Normalize(mount.Destination)] = mount.Source!;
        }

        return notes.BindMounts.ToDictionary(
            mounted => mounted,
            mounted => sources.TryGetValue(mounted, out string? source)
                ? source
                : throw new ContainerException(ContainerFault.Engine, $"the checkpoint has a bind mount at {mounted}: the bundle's config.json must have one there too"),
            StringComparer.Ordinal);
    }

    private static bool HasNoNewPrivileges(int pid)
    {
        string path = $"/proc/{pid}/status";
        using SafeFileHandle file = Files.Open(path, OpenFlags.ReadOnly);
        return Encoding.UTF8.GetString(Files.ReadAll(file, 1 << 16, path)).Contains("\nNoNewPrivs:\t1\n", StringComparison.Ordinal);
    }
}
