using System.Globalization;
using Hull.Linux;
using Hull.Oci;
using Microsoft.Win32.SafeHandles;

namespace Hull.Engine.Containers;

/// <summary>What a spec takes from the host it will run on. A test gives its own.</summary>
public sealed record SpecHost
{
    /// <summary>The most that a container can be given: this host's bounding set.</summary>
    public required CapabilitySet Capabilities { get; init; }

    /// <summary>Init of a running container, on the host.</summary>
    /// <exception cref="EngineException">It is not running.</exception>
    public required Func<ContainerId, int> InitOf { get; init; }

    /// <summary>statx(2) through links; null where the path is missing.</summary>
    public Func<string, FileMetadata?> Stat { get; init; } = static path => Files.TryStatAt(null, path, followLinks: true, out _);

    /// <summary>statx(2) of the entry itself; null where it is missing.</summary>
    public Func<string, FileMetadata?> StatEntry { get; init; } = static path => Files.TryStatAt(null, path, followLinks: false, out _);

    /// <summary>The names in a directory; empty where it is missing.</summary>
    public Func<string, IReadOnlyList<string>> Entries { get; init; } = ListEntries;

    /// <summary>The AppArmor profile for a container that asks for one by name, or for none: see <see cref="AppArmor.Prepare"/>.</summary>
    public Func<string?, string?> AppArmorProfile { get; init; } = AppArmor.Prepare;

    /// <summary>The directory that containers of one shareable IPC namespace see as /dev/shm; true makes it anew.</summary>
    /// <remarks>A mount of another mount namespace cannot be cloned (open_tree(2): EINVAL), so it is a directory of the exec
    /// root, which usually is a tmpfs.</remarks>
    public Func<ContainerId, bool, string> SharedMemory { get; init; } = static (_, _) => throw EngineException.Conflict("no shared memory");

    /// <summary>A path for a directory below another, which the walk did not leave; valid until <see cref="Opened"/> is disposed.</summary>
    public string Beneath(string root, string path)
    {
        using SafeFileHandle top = Files.Open(root, OpenFlags.Path | OpenFlags.Directory);
        SafeFileHandle found = Files.TryOpenBeneath(
            top, path, OpenFlags.Path | OpenFlags.Directory, 0, ResolveFlags.InRoot | ResolveFlags.NoMagicLinks, out Errno errno)
            ?? throw EngineException.Invalid(new SyscallException("openat2", $"{root}/{FlagText.Printable(path)}", errno).Message);
        Opened.Add(found);
        return string.Create(CultureInfo.InvariantCulture, $"/proc/self/fd/{(int)found.DangerousGetHandle()}");
    }

    /// <summary>Directories that paths of the spec go through; dispose them when the container was started.</summary>
    public List<SafeFileHandle> Opened { get; } = [];

    /// <summary>This host, and the containers of a store.</summary>
    public static SpecHost Of(ContainerStore store) => new()
    {
        Capabilities = CapabilitySet.HostBounding(),
        InitOf = store.RunningInit,
        SharedMemory = store.SharedMemory,
    };

    private static List<string> ListEntries(string path)
    {
        using SafeFileHandle? directory =
            Files.TryOpenAt(null, path, OpenFlags.ReadOnly | OpenFlags.Directory, 0, out _);
        List<string> names = [];
        if (directory is not null)
        {
            foreach (DirectoryEntry entry in DirectoryListing.Read(directory, path))
            {
                names.Add(System.Text.Encoding.UTF8.GetString(entry.Name));
            }
        }

        return names;
    }
}
