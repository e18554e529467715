using System.Text;
using Hull.Linux;
using Microsoft.Win32.SafeHandles;

namespace Hull.Engine.Containers;

/// <summary>What a check of the store looks at.</summary>
public sealed partial class ContainerStore
{
    /// <summary>The ids of all containers, those with damaged records among them, unordered.</summary>
    public IReadOnlyList<ContainerId> Ids()
    {
        using SafeFileHandle? directory = OpenContainers();
        List<ContainerId> ids = [];
        foreach (DirectoryEntry entry in directory is null ? [] : DirectoryListing.Read(directory, _paths.Containers))
        {
            if (ContainerId.TryParse(Encoding.UTF8.GetString(entry.Name), out ContainerId id))
            {
                ids.Add(id);
            }
        }

        return ids;
    }

    /// <summary>Names whose container is neither there nor being made: a kill between two steps of a removal leaves one. It counts as free.</summary>
    public IReadOnlyList<(string Name, ContainerId Owner)> DanglingNames()
    {
        using SafeFileHandle? directory = Files.TryOpenAt(null, _paths.Names, OpenFlags.ReadOnly | OpenFlags.Directory, 0, out _);
        List<(string, ContainerId)> dangling = [];
        foreach (DirectoryEntry entry in directory is null ? [] : DirectoryListing.Read(directory, _paths.Names))
        {
            string name = Encoding.UTF8.GetString(entry.Name);
            if (Files.TryReadLink(null, NameFile(name), out _) is { } target && ContainerId.TryParse(target, out ContainerId owner)
                // The staging directory first: the other way round it could be renamed in between.
                && Files.TryStatAt(null, StagingOf(owner), followLinks: false, out _) is null && !Exists(owner))
            {
                dangling.Add((name, owner));
            }
        }

        return dangling;
    }

    /// <summary>Frees a dangling name.</summary>
    public void ReleaseDangling(string name, ContainerId owner)
    {
        // Exclusive: nobody is making the owner now.
        using FileLock sweeping = FileLock.Acquire(_lockFile);
        if (!Exists(owner))
        {
            ReleaseName(name, owner);
        }
    }
}
