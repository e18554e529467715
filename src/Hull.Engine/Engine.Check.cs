using Hull.Engine.Containers;
using Hull.Images;
using Hull.Images.Checking;
using Hull.Linux;
using Hull.Oci;
using Microsoft.Win32.SafeHandles;

namespace Hull.Engine;

/// <summary>system check.</summary>
public sealed partial class Engine
{
    /// <summary>Reads everything that the store has and names what is damaged. Nothing is changed, except that containers whose monitors
    /// were killed are recovered as by any command.</summary>
    /// <param name="extent">How much there was to read, in words.</param>
    public IReadOnlyList<Damage> Check(out string extent)
    {
        try
        {
            List<Damage> found = [.. Images.Check(ImageUses, out extent)];
            int containers = CheckContainers(found);
            CheckNames(found);
            CheckRuntimeDirectories(found);
            extent += $", {containers} containers";
            return found;
        }
        catch (Exception e) when (e is ImageException or SyscallException)
        {
            throw Wrap("check the store", e);
        }
    }

    private int CheckContainers(List<Damage> found)
    {
        int count = 0;
        foreach (ContainerId id in Containers.Ids())
        {
            count++;
            try
            {
                ContainerStatus status = Status(id);
                foreach (Digest layer in Containers.ReadConfig(id).Layers.Where(layer => !Images.Layers.Contains(layer)))
                {
                    // An image that has it is named before, and mends it.
                    found.Add(new Damage(
                        $"container {status.Name}: layer {layer.Short} of its image {status.Image} is missing",
                        $"pull or load {status.Image} again",
                        () => Images.Layers.Contains(layer)));
                }
            }
            catch (EngineException e) when (e.Kind != EngineErrorKind.NotFound)
            {
                found.Add(new Damage($"container {id.Short}: {e.Message}", $"hull rm -f {id.Short}", null));
            }
        }

        return count;
    }

    /// <summary>A name is claimed by a link; one whose container is gone counts as free, but is there.</summary>
    private void CheckNames(List<Damage> found)
    {
        foreach ((string name, ContainerId owner) in Containers.DanglingNames())
        {
            found.Add(new Damage($"container name {name}: its container {owner.Short} is gone", $"remove {Paths.Names}/{name}", () =>
            {
                Containers.ReleaseDangling(name, owner);
                return true;
            }));
        }
    }

    /// <summary>What is kept of a running container until reboot, of one that is gone.</summary>
    private void CheckRuntimeDirectories(List<Damage> found)
    {
        using SafeFileHandle? directory = Files.TryOpenAt(null, Paths.RuntimeContainers, OpenFlags.ReadOnly | OpenFlags.Directory, 0, out _);
        foreach (DirectoryEntry entry in directory is null ? [] : DirectoryListing.Read(directory, Paths.RuntimeContainers))
        {
            if (!ContainerId.TryParse(System.Text.Encoding.UTF8.GetString(entry.Name), out ContainerId id) || Containers.Exists(id) || MonitorLock.IsHeld(Paths, id))
            {
                continue;
            }

            found.Add(new Damage($"stale lock: {Paths.RuntimeDirectory(id)} of a container that is gone", $"remove {Paths.RuntimeDirectory(id)}", () =>
            {
                Containers.ForgetRuntime(id);
                return !Files.TryStatAt(null, Paths.RuntimeDirectory(id), followLinks: false, out _).HasValue;
            }));
        }
    }
}
