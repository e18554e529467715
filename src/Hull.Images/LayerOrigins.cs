using System.Text.Json;
using Hull.Linux;
using Hull.Oci;
using Hull.Oci.ImageSpec;
using Microsoft.Win32.SafeHandles;

namespace Hull.Images;

/// <summary>A blob that a repository was seen to have.</summary>
/// <param name="Blob">The stored form of the layer there: media type, digest and size.</param>
/// <param name="Repository">With its registry: <c>docker.io/library/busybox</c>.</param>
internal sealed record LayerOrigin(Descriptor Blob, string Repository);

/// <summary>Where each layer came from and went to, <c>images/origins/DIFFID.json</c>: so that a push has the registry take a layer
/// from another of its repositories, and does not compress again what it compressed before.</summary>
/// <remarks>A hint: the registry is asked each time. Thread-safe, and safe among processes.</remarks>
internal sealed class LayerOrigins(StoreLayout layout)
{
    /// <summary>The latest are kept.</summary>
    private const int Maximum = 16;

    private const string Suffix = ".json";

    /// <summary>What is known of a layer, the latest first.</summary>
    public IReadOnlyList<LayerOrigin> Of(Digest diffId)
    {
        string path = layout.Origin(diffId);
        using SafeFileHandle? file = Files.TryOpenAt(null, path, OpenFlags.ReadOnly, 0, out Errno errno);
        if (file is null)
        {
            return errno == Errno.ENOENT ? [] : throw new SyscallException("open", path, errno);
        }

        try
        {
            return ImageDocuments.Parse(Files.ReadAll(file, ImageDocuments.MaxSize, path), StoreJson.Default.IReadOnlyListLayerOrigin, path);
        }
        catch (ImageSpecException)
        {
            // Damaged, a hint lost: the next Add writes it anew.
            return [];
        }
    }

    /// <summary>Notes what a repository has.</summary>
    public void Add(string repository, IEnumerable<LayerBlob> layers)
    {
        layout.Create();
        using FileLock held = FileLock.Acquire(layout.LockFile);
        foreach ((Digest diffId, Descriptor blob) in layers)
        {
            LayerOrigin origin = new(new Descriptor { MediaType = blob.MediaType, Digest = blob.Digest, Size = blob.Size }, repository);
            IReadOnlyList<LayerOrigin> before = Of(diffId);
            if (before.Count == 0 || before[0] != origin)
            {
                IReadOnlyList<LayerOrigin> after = [origin, .. before.Where(known => known != origin).Take(Maximum - 1)];
                AtomicFile.Write(
                    layout.Origin(diffId), JsonSerializer.SerializeToUtf8Bytes(after, StoreJson.Default.IReadOnlyListLayerOrigin), durable: false);
            }
        }
    }

    /// <summary>Forgets all layers but these. Under the store's lock.</summary>
    public void Keep(IReadOnlySet<Digest> diffIds)
    {
        using SafeFileHandle directory = Files.Open(layout.Origins, OpenFlags.ReadOnly | OpenFlags.Directory);
        foreach (DirectoryEntry entry in DirectoryListing.Read(directory, layout.Origins))
        {
            string name = System.Text.Encoding.UTF8.GetString(entry.Name);
            if (name.EndsWith(Suffix, StringComparison.Ordinal)
                && Digest.TryParse($"sha256:{name[..^Suffix.Length]}", out Digest diffId) && !diffIds.Contains(diffId))
            {
                Files.Unlink(directory, name);
            }
        }
    }
}
