using System.Text;
using System.Text.Json;
using Hull.Engine.Containers;
using Hull.Linux;
using Hull.Oci;
using Microsoft.Win32.SafeHandles;

namespace Hull.Engine.Volumes;

/// <summary>The volumes of a data root: <c>volumes/NAME/</c> with <c>volume.json</c> and the content in <c>_data/</c>.</summary>
/// <remarks>Stateless. A volume is built as <c>.new-*</c> (no volume's name starts with a dot) and renamed into place.</remarks>
public sealed class VolumeStore(HullPaths paths)
{
    private const uint PrivateMode = 0x1C0;
    private const uint DataMode = 0x1ED;
    private const string StagingPrefix = ".new-";

    /// <summary>Where the content is. The name is valid, or this throws.</summary>
    public string DataDirectory(string name) => DirectoryOf(name) + "/_data";

    public bool Exists(string name) => Files.TryStatAt(null, DirectoryOf(name), followLinks: false, out _) is not null;

    /// <summary>Makes the volume where it is missing.</summary>
    /// <returns>True where it was made.</returns>
    public bool Ensure(string name, bool anonymous = false, IReadOnlyDictionary<string, string>? labels = null)
    {
        if (Exists(name))
        {
            return false;
        }

        Files.MakeDirectories(paths.Volumes, PrivateMode);
        using FileLock making = FileLock.Acquire(LockFile, shared: true);
        string staging = string.Concat(paths.Volumes, "/", StagingPrefix, ContainerId.New().Hex);
        Files.MakeDirectory(null, staging, PrivateMode);
        try
        {
            VolumeRecord record = new() { Name = name, Created = DateTimeOffset.UtcNow, Anonymous = anonymous, Labels = labels };
            string file = staging + "/volume.json";
            using (SafeFileHandle handle = Files.Open(file, OpenFlags.WriteOnly | OpenFlags.Create | OpenFlags.Exclusive, 0x180))
            {
                Files.Write(handle, JsonSerializer.SerializeToUtf8Bytes(record, VolumeJson.Default.VolumeRecord), file);
                Files.Sync(handle, file);
            }

            MakeData(staging + "/_data");
            Files.RenameAt(null, staging, null, DirectoryOf(name), RenameFlags.NoReplace);
            return true;
        }
        catch (SyscallException e) when (e.Operation == "rename" && e.Errno == Errno.EEXIST)
        {
            // Another process made it first; it is the same volume.
            DirectoryListing.RemoveTree(staging);
            return false;
        }
        catch
        {
            DirectoryListing.RemoveTree(staging);
            throw;
        }
    }

    /// <summary>Fills a volume that holds nothing with what the image has at its target; one with content stays as it is
    /// (CVE-2020-1726).</summary>
    /// <param name="source">An open directory in the image's root, reached beneath it (CVE-2022-23648).</param>
    public void Fill(string name, SafeFileHandle source)
    {
        // Two first users at once: one copies, the other finds content.
        using FileLock filling = FileLock.Acquire(DirectoryOf(name) + "/lock");
        using SafeFileHandle data = Files.Open(DataDirectory(name), OpenFlags.ReadOnly | OpenFlags.Directory);
        if (DirectoryListing.Read(data).Count == 0)
        {
            TreeCopy.Copy(source, data, $"volume {name}");
        }
    }

    /// <summary>The record.</summary>
    /// <exception cref="EngineException">NotFound.</exception>
    public VolumeRecord Read(string name)
    {
        string file = DirectoryOf(name) + "/volume.json";
        using SafeFileHandle? handle = Files.TryOpenAt(null, file, OpenFlags.ReadOnly, 0, out Errno errno);
        if (handle is null)
        {
            throw errno == Errno.ENOENT
                ? EngineException.NotFound($"get {FlagText.Printable(name)}: no such volume")
                : new EngineException(EngineErrorKind.System, new SyscallException("open", file, errno).Message);
        }

        try
        {
            return JsonSerializer.Deserialize(Files.ReadAll(handle, 4 << 20, file), VolumeJson.Default.VolumeRecord)!;
        }
        catch (JsonException e)
        {
            throw new EngineException(EngineErrorKind.System, $"{file} is damaged: {e.Message}", e);
        }
    }

    /// <summary>Every volume, by name. Sweeps what killed processes left of half-made ones.</summary>
    public List<VolumeRecord> List()
    {
        List<VolumeRecord> volumes = [];
        using SafeFileHandle? directory = Files.TryOpenAt(null, paths.Volumes, OpenFlags.ReadOnly | OpenFlags.Directory, 0, out _);
        if (directory is null)
        {
            return volumes;
        }

        bool leftovers = false;
        foreach (DirectoryEntry entry in DirectoryListing.Read(directory, paths.Volumes))
        {
            string name = Encoding.UTF8.GetString(entry.Name);
            leftovers |= name.StartsWith(StagingPrefix, StringComparison.Ordinal);
            if (ContainerName.IsValid(name) && entry.Type != FileType.Regular)
            {
                try
                {
                    volumes.Add(Read(name));
                }
                catch (EngineException)
                {
                    // Removed since the directory was read, or damaged: either way its name tells a user more than a failed list.
                    if (Exists(name))
                    {
                        volumes.Add(new VolumeRecord { Name = name, Created = DateTimeOffset.UnixEpoch });
                    }
                }
            }
        }

        if (leftovers)
        {
            Sweep();
        }

        volumes.Sort(static (a, b) => string.CompareOrdinal(a.Name, b.Name));
        return volumes;
    }

    /// <summary>Removes a volume with its content; nothing where it is gone. The caller has asked who uses it.</summary>
    public void Remove(string name)
    {
        using FileLock removing = FileLock.Acquire(LockFile, shared: true);
        string aside = string.Concat(paths.Volumes, "/", StagingPrefix, ContainerId.New().Hex);
        try
        {
            Files.Rename(DirectoryOf(name), aside);
        }
        catch (SyscallException e) when (e.Errno == Errno.ENOENT)
        {
            return;
        }

        DirectoryListing.RemoveTree(aside);
    }

    private string LockFile => paths.Volumes + "/.lock";

    private string DirectoryOf(string name) => string.Concat(paths.Volumes, "/", MountConfig.VolumeName(name));

    private void Sweep()
    {
        using FileLock? sweeping = FileLock.TryAcquire(LockFile);
        if (sweeping is null)
        {
            return;
        }

        // A handle of its own: the other one's position is at the directory's end.
        using SafeFileHandle directory = Files.Open(paths.Volumes, OpenFlags.ReadOnly | OpenFlags.Directory);
        foreach (DirectoryEntry entry in DirectoryListing.Read(directory, paths.Volumes))
        {
            if (entry.Name.AsSpan().StartsWith(".new-"u8))
            {
                DirectoryListing.RemoveTree(directory, entry.Name, paths.Volumes);
            }
        }
    }

    private static void MakeData(string path)
    {
        Files.MakeDirectory(null, path, DataMode);
        using SafeFileHandle directory = Files.Open(path, OpenFlags.ReadOnly | OpenFlags.Directory);
        // Whatever the umask: users of the container other than root are to get in.
        Files.ChangeMode(directory, DataMode, path);
    }
}
