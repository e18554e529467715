using System.Text;
using Hull.Linux;
using Hull.Oci;
using Hull.Runtime;
using Microsoft.Win32.SafeHandles;

namespace Hull.Engine.Containers;

/// <summary>Names, ids and listings.</summary>
public sealed partial class ContainerStore
{
    private const int AttemptsToName = 64;

    /// <summary>A generated name that no container has right now; <see cref="Create"/> claims it, or finds it just taken.</summary>
    public string FreeName()
    {
        for (int attempt = 0; attempt < AttemptsToName; attempt++)
        {
            string name = NameGenerator.Next(attempt);
            if (Files.TryStatAt(null, NameFile(name), followLinks: false, out _) is null)
            {
                return name;
            }
        }

        throw EngineException.Conflict("no free generated name was found; give one with --name");
    }

    /// <summary>The container meant by a full id, a name, or a unique start of an id, in this order (as Docker).</summary>
    /// <exception cref="EngineException">NotFound with the nearest names; Conflict where a prefix fits several.</exception>
    public ContainerId Find(string reference) =>
        TryFind(reference) ?? throw EngineException.NotFound(NoSuchContainer(reference, null));

    /// <summary><see cref="Find"/>, null where there is none.</summary>
    /// <exception cref="EngineException">Conflict: a prefix fits several.</exception>
    public ContainerId? TryFind(string reference)
    {
        if (ContainerId.TryParse(reference, out ContainerId id) && Exists(id))
        {
            return id;
        }

        string name = reference.StartsWith('/') ? reference[1..] : reference;
        if (ContainerName.IsValid(name)
            && Files.TryReadLink(null, NameFile(name), out Errno errno) is { } target
            && ContainerId.TryParse(target, out id)
            && Exists(id))
        {
            return id;
        }

        return reference.Length is > 0 and < ContainerId.Length && ContainerId.IsHex(reference) ? FindPrefix(reference) : null;
    }

    /// <summary>Docker's words for an unknown container, with the nearest names and, where the name is an image's, a hint.</summary>
    /// <param name="isImage">Whether the reference names an image; null: not asked.</param>
    public string NoSuchContainer(string reference, Func<string, bool>? isImage)
    {
        string message = $"No such container: {FlagText.Printable(reference)}";
        if (isImage is not null && isImage(reference))
        {
            return $"{message} ('{FlagText.Printable(reference)}' is an image: 'hull run' makes a container of it, 'hull ps -a' lists the containers)";
        }

        const int LongestName = 64;
        IReadOnlyList<string> near = reference.Length > LongestName ? [] : NearestNames.Of(reference, LivingNames());
        return near.Count == 0 ? message : $"{message} (did you mean {string.Join(" or ", near)}?)";
    }

    /// <summary>Every container's status, the newest first, live states checked against the monitor locks: one whose monitor
    /// is gone comes as it stands on disk, and <paramref name="stale"/> is called with it, to recover it and give the truth.</summary>
    /// <param name="stale">Null keeps what the disk says.</param>
    public List<ContainerStatus> List(Func<ContainerStatus, ContainerStatus?>? stale, out bool leftovers)
    {
        List<ContainerStatus> found = [];
        leftovers = false;
        using SafeFileHandle? directory = OpenContainers();
        if (directory is null)
        {
            return found;
        }

        byte[] buffer = new byte[4096];
        Span<char> path = stackalloc char[ContainerId.Length + 12];
        "/status.json".CopyTo(path[ContainerId.Length..]);
        foreach (DirectoryEntry entry in DirectoryListing.Read(directory, _paths.Containers))
        {
            if (entry.Name.Length != ContainerId.Length)
            {
                leftovers |= entry.Name.AsSpan().StartsWith("new-"u8);
                continue;
            }

            Encoding.Latin1.GetChars(entry.Name, path);
            if (!ContainerId.IsHex(path[..ContainerId.Length]))
            {
                continue;
            }

            ContainerStatus? status = ReadListed(directory, new string(path), ref buffer);
            if (status is { IsLive: true } && stale is not null && !MonitorLock.IsHeld(_paths, status.Id))
            {
                status = stale(status);
            }

            if (status is not null)
            {
                found.Add(status);
            }
        }

        found.Sort(static (a, b) => b.Created.CompareTo(a.Created) is var order and not 0 ? order : string.CompareOrdinal(a.Id.Hex, b.Id.Hex));
        return found;
    }

    /// <summary>Null where the container was removed since the directory was read, or its record cannot be read: one damaged
    /// record must not hide the others (<c>rm -f</c> by its id removes it).</summary>
    private static ContainerStatus? ReadListed(SafeFileHandle directory, string path, ref byte[] buffer)
    {
        using SafeFileHandle? file = Files.TryOpenAt(directory, path, OpenFlags.ReadOnly, 0, out _);
        if (file is null)
        {
            return null;
        }

        int length = 0;
        while (true)
        {
            int n = Files.Read(file, buffer.AsSpan(length), path);
            length += n;
            if (length < buffer.Length || buffer.Length >= StatusCodec.MaxBytes)
            {
                // A regular file that gives less than was asked for has ended.
                break;
            }

            Array.Resize(ref buffer, buffer.Length * 2);
        }

        try
        {
            return StatusCodec.Read(buffer.AsSpan(0, length));
        }
        catch (System.Text.Json.JsonException)
        {
            return null;
        }
    }

    private ContainerId? FindPrefix(string prefix)
    {
        using SafeFileHandle? directory = OpenContainers();
        if (directory is null)
        {
            return null;
        }

        byte[] start = Encoding.ASCII.GetBytes(prefix);
        ContainerId? found = null;
        foreach (DirectoryEntry entry in DirectoryListing.Read(directory, _paths.Containers))
        {
            if (entry.Name.AsSpan().StartsWith(start) && ContainerId.TryParse(Encoding.Latin1.GetString(entry.Name), out ContainerId id))
            {
                if (found is not null)
                {
                    throw EngineException.Conflict($"multiple IDs found with provided prefix: {prefix}");
                }

                found = id;
            }
        }

        return found;
    }

    /// <summary>The names that lead to a container which is there.</summary>
    private IEnumerable<string> LivingNames()
    {
        using SafeFileHandle? directory = Files.TryOpenAt(null, _paths.Names, OpenFlags.ReadOnly | OpenFlags.Directory, 0, out _);
        if (directory is null)
        {
            yield break;
        }

        foreach (DirectoryEntry entry in DirectoryListing.Read(directory, _paths.Names))
        {
            string name = Encoding.UTF8.GetString(entry.Name);
            if (Files.TryReadLink(directory, name, out _) is { } target && ContainerId.TryParse(target, out ContainerId id) && Exists(id))
            {
                yield return name;
            }
        }
    }

    private string StagingOf(ContainerId id) => string.Concat(_paths.Containers, "/", StagingPrefix, id.Hex);

    private string NameFile(string name) => string.Concat(_paths.Names, "/", name);

    private enum NameClaim
    {
        Claimed,
        /// <summary>Its owner's record exists.</summary>
        InUse,
        /// <summary>Its owner is being created, or was when it was killed.</summary>
        OwnerStaging,
    }

    /// <summary>Makes the name's link. The caller holds <c>containers/lock</c> shared.</summary>
    private NameClaim ClaimName(string name, ContainerId id, out ContainerId owner)
    {
        string file = NameFile(name);
        owner = id;
        if (TryLink(id, file))
        {
            return NameClaim.Claimed;
        }

        // Links of others are removed under this lock only, so that what is judged stale here is what is unlinked here.
        using FileLock names = FileLock.Acquire(_namesLockFile);
        while (true)
        {
            string? target = Files.TryReadLink(null, file, out _);
            if (target is not null && ContainerId.TryParse(target, out owner))
            {
                if (Exists(owner))
                {
                    return NameClaim.InUse;
                }

                // Looked at before the record, the staging directory could have been renamed in between.
                if (Files.TryStatAt(null, StagingOf(owner), followLinks: false, out _) is not null)
                {
                    return NameClaim.OwnerStaging;
                }

                if (Exists(owner))
                {
                    return NameClaim.InUse;
                }
            }

            // Its container is gone: a kill between two steps of a removal left it.
            Files.Unlink(null, file);
            if (TryLink(id, file))
            {
                owner = id;
                return NameClaim.Claimed;
            }
        }
    }

    private static EngineException NameInUse(string name, ContainerId owner) => EngineException.Conflict(
        $"Conflict. The container name \"/{name}\" is already in use by container \"{owner.Hex}\". "
        + "You have to remove (or rename) that container to be able to reuse that name.");

    private static bool TryLink(ContainerId id, string file)
    {
        try
        {
            Files.MakeSymbolicLink(id.Hex, null, file);
            return true;
        }
        catch (SyscallException e) when (e.Errno == Errno.EEXIST)
        {
            return false;
        }
    }

    /// <summary>Removes the link if it is still this container's.</summary>
    private void ReleaseName(string name, ContainerId id)
    {
        string file = NameFile(name);
        using FileLock names = FileLock.Acquire(_namesLockFile);
        if (Files.TryReadLink(null, file, out _) == id.Hex)
        {
            Files.Unlink(null, file);
        }
    }
}
