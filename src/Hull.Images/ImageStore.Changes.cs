using System.Text.Json;
using Hull.Linux;
using Hull.Oci;
using Hull.Oci.ImageSpec;
using Microsoft.Win32.SafeHandles;

namespace Hull.Images;

/// <summary>Adding images and names. Under the store's lock: record, then names, then the index, which only restates them
/// for other tools and is written anew by every change, so that a kill in between heals with the next.</summary>
public sealed partial class ImageStore
{
    private LayerApplier? _applier;

    /// <summary>Unpacks layers for this store.</summary>
    public LayerApplier Applier => _applier ??= new LayerApplier(this);

    /// <summary>Begins to take in an image whose manifest and configuration are at hand.</summary>
    /// <param name="mediaType">Of the manifest, where the manifest does not say itself.</param>
    /// <exception cref="ImageSpecException">A document is malformed.</exception>
    /// <exception cref="ImageException">The documents contradict each other.</exception>
    public ImageIngest BeginIngest(byte[] manifest, string? mediaType, byte[] config) => new(this, manifest, mediaType, config);

    /// <summary>Begins to take in an image that is made here: the manifest is written for it.</summary>
    /// <param name="layers">The stored forms of the configuration's layers, bottom first.</param>
    internal ImageIngest BeginIngest(ImageConfig config, IReadOnlyList<Descriptor> layers)
    {
        byte[] configBytes = JsonSerializer.SerializeToUtf8Bytes(config, ImageSpecJson.Default.ImageConfig);
        ImageManifest manifest = new()
        {
            MediaType = MediaTypes.OciManifest,
            Config = new Descriptor { MediaType = MediaTypes.OciConfig, Digest = Digest.Of(configBytes), Size = configBytes.Length },
            Layers = layers,
        };
        return BeginIngest(JsonSerializer.SerializeToUtf8Bytes(manifest, ImageSpecJson.Default.ImageManifest), MediaTypes.OciManifest, configBytes);
    }

    /// <summary>Keeps layers and blobs from garbage collection until disposed: from finding an image to recording the container
    /// that uses it.</summary>
    public IDisposable Hold()
    {
        _layout.Create();
        return FileLock.Acquire(_layout.UseLockFile, shared: true);
    }

    /// <summary>Removes what killed processes left half done.</summary>
    public void Sweep()
    {
        StagingName.Sweep(_layout.Layers);
        StagingName.Sweep(_layout.BlobStaging);
    }

    /// <summary>Gives an image one more name, taken from the image that has it now.</summary>
    /// <exception cref="ImageException">Invalid: the name has a digest, which names content and cannot be given.</exception>
    public void Tag(Image image, ImageReference reference)
    {
        if (reference.Digest is not null)
        {
            throw new ImageException(ImageError.Invalid, $"\"{reference.Familiar}\": refusing to create a tag with a digest reference");
        }

        using FileLock held = FileLock.Acquire(_layout.LockFile);
        if (TryRead(_layout.Record(image.Id)) is null)
        {
            throw new ImageException(ImageError.NotFound, $"No such image: {image.Id}");
        }

        // Since the image was found another process may have removed the name that came with the index.
        Link(reference, image.Id, image.Index is { } index && Blobs.Contains(index) ? index : null);
        WriteIndex();
    }

    /// <summary>Notes under which digest a registry has an image: docker's repo digests.</summary>
    /// <param name="index">The index, where that is what the digest is of.</param>
    internal void AddDigest(Image image, ImageReference byDigest, Digest? index = null)
    {
        using FileLock held = FileLock.Acquire(_layout.LockFile);

        // An image removed meanwhile gets no name that would lead nowhere.
        if (TryRead(_layout.Record(image.Id)) is not null)
        {
            Link(byDigest, image.Id, index);
        }
    }

    /// <summary>Makes the image visible under its id and names.</summary>
    /// <param name="index">What the names came with; its blob is in the store.</param>
    internal Image Register(ImageRecord record, IEnumerable<ImageReference> references, Digest? index)
    {
        using FileLock held = FileLock.Acquire(_layout.LockFile);
        AtomicFile.Write(
            _layout.Record(record.Id), JsonSerializer.SerializeToUtf8Bytes(record, StoreJson.Default.ImageRecord), Options.Sync);
        foreach (ImageReference reference in references)
        {
            Link(reference, record.Id, index);
        }

        WriteIndex();
        return ToImage(record, index);
    }

    private void Link(ImageReference reference, Digest id, Digest? index)
    {
        string path = PathOf(reference);
        if (Path.GetFileName(path).Length > Files.MaxNameBytes)
        {
            throw new ImageException(ImageError.Invalid, $"\"{reference.Familiar}\": longer than {Files.MaxNameBytes} characters in full");
        }

        if (index is { } through)
        {
            LinkIndex(through);
        }

        string temporary = $"{_layout.References}/new-{Environment.ProcessId}";
        Files.Unlink(null, temporary);
        Files.MakeSymbolicLink(NameTarget.LinkText(id, index), null, temporary);
        Files.Rename(temporary, path);
    }

    /// <summary>Writes <c>index.json</c>, which other tools read.</summary>
    private void WriteIndex()
    {
        SweepDocuments();
        SweepIndexes();
        byte[] content = IndexBytes();
        try
        {
            AtomicFile.Write(_layout.Index, content, Options.Sync);
        }
        catch (SyscallException e) when (e.Errno is Errno.ENOSPC or Errno.EDQUOT)
        {
            // A full disk has no room for a second one, and removing an image, which makes room, comes by here.
            Files.Unlink(null, _layout.Index);
            AtomicFile.Write(_layout.Index, content, Options.Sync);
        }

        // Before blobs and layers go that a removed image had.
        SyncDirectories(_layout.References, _layout.Records);
    }

    /// <summary>Makes the names of blobs and layers outlive a power cut: before a record leads to them.</summary>
    internal void SyncContentNames() => SyncDirectories(_layout.Blobs, _layout.Layers);

    private void SyncDirectories(params ReadOnlySpan<string> paths)
    {
        if (!Options.Sync)
        {
            return;
        }

        foreach (string path in paths)
        {
            using SafeFileHandle directory = Files.Open(path, OpenFlags.ReadOnly | OpenFlags.Directory);
            Files.Sync(directory, path);
        }
    }

    /// <summary>What <c>index.json</c> is to hold: one entry a name, and one for each image without.</summary>
    internal byte[] IndexBytes()
    {
        ILookup<Digest, ImageReference> names = AllReferences().ToLookup(pair => pair.Id, pair => pair.Reference);
        List<Descriptor> entries = [];
        foreach (ImageRecord record in ReadableRecords().OrderBy(record => record.Id.Hex, StringComparer.Ordinal))
        {
            Descriptor plain = record.Manifest with { Platform = PlatformMatch.Of(record.Config) };
            IReadOnlyList<ImageReference> tags = [.. names[record.Id].Where(name => name.Tag is not null)];
            entries.AddRange(tags.Select(name => plain with { Annotations = NameAnnotations(name) }));
            if (tags.Count == 0)
            {
                entries.Add(plain);
            }
        }

        return JsonSerializer.SerializeToUtf8Bytes(new ImageIndex { MediaType = MediaTypes.OciIndex, Manifests = entries }, ImageSpecJson.Default.ImageIndex);
    }

    /// <summary>Removes what a kill left of documents being written; under the lock there is no other writer.</summary>
    private void SweepDocuments()
    {
        foreach (string directory in new[] { _layout.Images, _layout.Records, _layout.References, _layout.Origins, _layout.Lists })
        {
            AtomicFile.Sweep(directory);
        }
    }

    /// <summary>The name for tools that look for either annotation; both in full, as an index may hold equal tags of two
    /// repositories.</summary>
    internal static Dictionary<string, string> NameAnnotations(ImageReference name) => new()
    {
        [ImageIndex.ContainerdName] = name.ToString(),
        [ImageIndex.ReferenceName] = name.ToString(),
    };
}
