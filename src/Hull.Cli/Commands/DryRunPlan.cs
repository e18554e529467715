using Hull.Engine.Containers;
using Hull.Linux;
using Hull.Oci.RuntimeSpec;
using Hull.Runtime;

namespace Hull.Cli.Commands;

/// <summary>The ordered steps of a start with their reasons: the same list that the child of clone3(2) walks.</summary>
internal static class DryRunPlan
{
    private const uint PrivateMode = 0x1C0;
    private const uint PrivateFileMode = 0x180;

    public static IReadOnlyList<string> Describe(CliContext context, ContainerConfig container, Spec spec)
    {
        // An overlay needs a writable layer, and a bind mount a source: these are gone with the description, and so is the
        // detached mount.
        string staging = $"{context.Paths.ExecRoot}/new-dry-run-{Environment.ProcessId}";
        string directory = context.Paths.ContainerDirectory(container.Id);
        try
        {
            Files.MakeDirectories(staging + "/upper", PrivateMode);
            Files.MakeDirectories(staging + "/work", PrivateMode);
            List<string> steps = [];
            foreach (string step in ContainerLauncher.Describe(new ContainerRequest
            {
                Id = container.Id.Hex,
                Spec = spec with { Mounts = Stage(spec.Mounts ?? [], directory, context.Paths.Volumes, staging) },
                Bundle = staging,
                Rootfs = new RootfsSource.Overlay(context.Engine.LayerDirectories(container), staging + "/upper", staging + "/work"),
                Init = container.Host.Init,
            }))
            {
                steps.Add(step.Replace(staging, directory, StringComparison.Ordinal));
            }

            return steps;
        }
        finally
        {
            DirectoryListing.RemoveTree(staging);
        }
    }

    /// <summary>Sources that a create would have made stand in the staging directory instead: files of the container's
    /// directory, volumes.</summary>
    private static List<Mount> Stage(IReadOnlyList<Mount> mounts, string directory, string volumes, string staging)
    {
        List<Mount> staged = [];
        foreach (Mount mount in mounts)
        {
            bool isFile = mount.Source?.StartsWith(directory + "/", StringComparison.Ordinal) == true;
            bool isVolume = mount.Source?.StartsWith(volumes + "/", StringComparison.Ordinal) == true;
            if (!isFile && (!isVolume || Directory.Exists(mount.Source)))
            {
                staged.Add(mount);
                continue;
            }

            string source = $"{staging}/source-{staged.Count}";
            if (isFile)
            {
                source = staging + mount.Source![directory.Length..];
                using (Files.Open(source, OpenFlags.WriteOnly | OpenFlags.Create, PrivateFileMode))
                {
                }
            }
            else
            {
                Files.MakeDirectories(source, PrivateMode);
            }

            staged.Add(mount with { Source = source });
        }

        return staged;
    }
}
