using System.Text.Json;
using Hull.Images.Codecs;
using Hull.Images.Registry;
using Hull.Images.Tar;
using Hull.Images.Unpacking;
using Hull.Linux;
using Hull.Oci;
using Hull.Oci.ImageSpec;
using Microsoft.Win32.SafeHandles;

namespace Hull.Images.Archives;

/// <summary>Takes images from a docker archive, an OCI archive or an OCI layout directory into the store. One use.</summary>
/// <remarks>What the file is decides, not its name: compression by its first bytes, layout by its members. An archive with
/// both <c>index.json</c> and <c>manifest.json</c> (docker 25 and later, and hull) is read as OCI, which keeps the
/// manifests' digests.</remarks>
internal sealed partial class ImageLoader(ImageStore store, Platform? wanted, ITransferProgress? progress, CancellationToken cancel)
{
    private readonly OrderedProgress? _progress = progress is null ? null : new OrderedProgress(progress);
    private readonly List<LoadedImage> _loaded = [];
    private readonly List<string> _notes = [];

    /// <summary>Loads a file or directory.</summary>
    public LoadResult Load(string path)
    {
        using SafeFileHandle file = Files.TryOpenAt(null, path, OpenFlags.ReadOnly, 0, out Errno errno)
            ?? throw new SyscallException("open", path, errno);
        FileMetadata metadata = Files.Stat(file, path);
        if (metadata.IsDirectory)
        {
            using DirectoryContents directory = new(path);
            return Load(directory);
        }

        if (metadata.IsRegular)
        {
            byte[] start = new byte[Decompressor.MagicLength];
            int n = Files.ReadAt(file, start, 0, path);
            if (n == 0)
            {
                throw Empty();
            }

            if (Decompressor.Sniff(start.AsSpan(0, n)) == Compression.None)
            {
                using TarContents contents = TarContents.Index(file, (long)metadata.Size, path);
                return Load(contents);
            }
        }

        using FileStream stream = new(file, FileAccess.Read, bufferSize: 0);
        return Load(stream, metadata.IsRegular ? (long)metadata.Size : 0);
    }

    /// <summary>Loads from a stream that can be read once.</summary>
    /// <param name="length">Bytes of it, for the progress; 0 where nobody knows.</param>
    public LoadResult Load(Stream stream, long length = 0)
    {
        store.Layout.Create();
        using IDisposable use = store.Hold();
        using ProgressStream counted = new(stream, n => _progress?.Layer(new LayerProgress("archive", TransferPhase.Reading, n, length)));
        using LayerPipe pipe = new(counted, null, hashStored: false, store.Options with { MaxLayerBytes = long.MaxValue }, cancel, hashTar: false);
        TarContents contents;
        try
        {
            contents = TarContents.Spool(pipe, store.Blobs);
            pipe.Finish();
        }
        catch (Exception e) when (LayerApplier.Explain(e, "the archive") is { } explained)
        {
            throw explained;
        }

        using (contents)
        {
            return pipe.TarBytes == 0 ? throw Empty() : Load(contents);
        }
    }

    private LoadResult Load(ArchiveContents contents)
    {
        if (contents.Find("index.json") is not null && contents.Find("oci-layout") is not null)
        {
            LoadLayout(contents);
        }
        else if (contents.Find("manifest.json") is not null)
        {
            LoadDocker(contents);
        }
        else
        {
            throw new ImageException(
                ImageError.Corrupt,
                "not an image archive: it has neither manifest.json (docker save) nor index.json and oci-layout (an OCI image layout). Use import for a plain file system");
        }

        return new LoadResult(_loaded, _notes);
    }

    private void LoadLayout(ArchiveContents contents)
    {
        ImageIndex index = ImageDocuments.ParseIndex(contents.ReadDocument("index.json"), "index.json");
        bool any = false;
        foreach (IGrouping<string, (Descriptor Descriptor, ImageReference? Name)> group in index.Manifests
            .Select((descriptor, i) => (Descriptor: descriptor, Name: NameOf(descriptor), Position: i))
            // Entries of one name are one image's platforms; entries without a name are images of their own.
            .GroupBy(entry => entry.Name?.ToString() ?? $"#{entry.Position}", entry => (entry.Descriptor, entry.Name)))
        {
            ImageReference? name = group.First().Name;
            any |= Best([.. group.Select(entry => entry.Descriptor)], name) is { } descriptor && LoadDescriptor(contents, descriptor, name, []);
        }

        if (!any)
        {
            throw new ImageException(ImageError.Corrupt, "index.json lists no container image");
        }
    }

    /// <summary>False where the descriptor leads to no container image but to another kind of artifact.</summary>
    /// <param name="indexes">Those that led to the descriptor, the outermost first.</param>
    private bool LoadDescriptor(ArchiveContents contents, Descriptor descriptor, ImageReference? name, IReadOnlyList<byte[]> indexes)
    {
        string document = $"manifest {descriptor.Digest}";
        byte[] bytes = ReadBlob(contents, descriptor, document);
        if (MediaTypes.IsIndex(descriptor.MediaType) || (descriptor.MediaType is null && ImageDocuments.LooksLikeIndex(bytes, document)))
        {
            if (indexes.Count >= StoredIndex.MaximumDepth)
            {
                throw new ImageException(ImageError.Corrupt, $"{document}: indexes nested more than {StoredIndex.MaximumDepth} deep");
            }

            ImageIndex index = ImageDocuments.ParseIndex(bytes, document);
            IReadOnlyList<Descriptor> here = [.. index.Manifests.Where(entry => contents.Find(BlobName(entry.Digest)) is not null)];
            bool loaded = Best(here.Count > 0 ? here : index.Manifests, name) is { } best && LoadDescriptor(contents, best, name, [.. indexes, bytes]);
            if (loaded && indexes.Count == 0 && wanted is null && name is not null)
            {
                LoadSiblings(contents, bytes, 1);
            }

            return loaded;
        }

        ImageManifest manifest = ImageDocuments.ParseManifest(bytes, document);
        if (manifest.Config.MediaType is not null && !MediaTypes.IsImageConfig(manifest.Config.MediaType))
        {
            _notes.Add($"{document}: not a container image but {manifest.Config.MediaType}; skipped");
            return false;
        }

        byte[] config = ReadBlob(contents, manifest.Config, $"config {manifest.Config.Digest}");
        CheckPlatform(config, name);
        using ImageIngest ingest = store.BeginIngest(bytes, descriptor.MediaType, config);
        Take(ingest, layer => contents.Find(BlobName(layer.Descriptor.Digest))
            ?? throw new ImageException(ImageError.Corrupt, $"the archive lacks the layer {layer.Descriptor.Digest}"));
        Finish(ingest, name is null ? [] : [name], indexes);
        return true;
    }

    private void LoadDocker(ArchiveContents contents)
    {
        IReadOnlyList<DockerArchiveImage?> images = ImageDocuments.Parse(
            contents.ReadDocument("manifest.json"), DockerArchiveJson.Default.IReadOnlyListDockerArchiveImage, "manifest.json");
        for (int i = 0; i < images.Count; i++)
        {
            if (images[i] is not { Config: { } configName, Layers: { } layerNames } image || layerNames.Contains(null!))
            {
                throw new ImageException(ImageError.Corrupt, $"manifest.json: image {i} lacks Config or Layers");
            }

            byte[] config = contents.ReadDocument(configName);
            ImageDocuments.ParseConfig(config, configName, out IReadOnlyList<Digest> diffIds);
            if (diffIds.Count != layerNames.Count)
            {
                throw new ImageException(ImageError.Corrupt, $"manifest.json: image {i} has {layerNames.Count} layers, its configuration {diffIds.Count} diffIDs");
            }

            ArchiveFile[] files = [.. layerNames.Select(name =>
                contents.Find(name) ?? throw new ImageException(ImageError.Corrupt, $"the archive lacks the layer '{TarEntry.Display(System.Text.Encoding.UTF8.GetBytes(name))}'"))];
            CheckPlatform(config, (image.RepoTags ?? []).Where(tag => tag is not null).Select(Reference).FirstOrDefault());
            byte[] manifest = Manifest(config, files, diffIds);
            using ImageIngest ingest = store.BeginIngest(manifest, MediaTypes.OciManifest, config);
            Take(ingest, layer => files[layer.Index]);
            Finish(ingest, [.. (image.RepoTags ?? []).Where(tag => tag is not null).Select(Reference)], []);
        }
    }

    /// <summary>The archive has no manifest, so one is made: it makes the image part of the OCI layout.</summary>
    private static byte[] Manifest(byte[] config, ArchiveFile[] files, IReadOnlyList<Digest> diffIds)
    {
        List<Descriptor> layers = [];
        for (int i = 0; i < files.Length; i++)
        {
            (Compression compression, Digest digest) = Inspect(files[i], diffIds[i]);
            layers.Add(new Descriptor
            {
                MediaType = compression switch
                {
                    Compression.Gzip => MediaTypes.OciLayerGzip,
                    Compression.Zstd => MediaTypes.OciLayerZstd,
                    _ => MediaTypes.OciLayer,
                },
                Digest = digest,
                Size = files[i].Length,
            });
        }

        ImageManifest manifest = new()
        {
            MediaType = MediaTypes.OciManifest,
            Config = new Descriptor { MediaType = MediaTypes.OciConfig, Digest = Digest.Of(config), Size = config.Length },
            Layers = layers,
        };
        return JsonSerializer.SerializeToUtf8Bytes(manifest, ImageSpecJson.Default.ImageManifest);
    }

    /// <summary>An uncompressed layer's digest is its diffID, which unpacking verifies; another must be hashed first.</summary>
    private static (Compression Compression, Digest Digest) Inspect(ArchiveFile file, Digest diffId)
    {
        using Stream stream = file.Open();
        byte[] start = new byte[Decompressor.MagicLength];
        int n = stream.ReadAtLeast(start, start.Length, throwOnEndOfStream: false);
        Compression compression = Decompressor.Sniff(start.AsSpan(0, n));
        if (compression == Compression.None)
        {
            return (compression, diffId);
        }

        stream.Position = 0;
        return (compression, Digest.FromHash(System.Security.Cryptography.SHA256.HashData(stream)));
    }

    private void Take(ImageIngest ingest, Func<IngestLayer, ArchiveFile> find)
    {
        HashSet<Digest> seen = [];
        // A layer that occurs twice is taken from the store the second time.
        List<IngestLayer> fetch = [.. ingest.Layers.Where(layer => layer.State == LayerState.Missing && seen.Add(layer.Descriptor.Digest))];
        Workers.Run(fetch.Count, (i, token) => TakeOne(ingest, fetch[i], find(fetch[i]), token), cancel);
        foreach (IngestLayer layer in ingest.Layers.Except(fetch))
        {
            ingest.ApplyStored(layer.Index, cancel);
        }
    }

    private void TakeOne(ImageIngest ingest, IngestLayer layer, ArchiveFile file, CancellationToken token)
    {
        if (file.TakeBlob() is { } blob)
        {
            ingest.ApplyBlob(layer.Index, blob, token);
            _progress?.Layer(new LayerProgress(layer.DiffId.Short, TransferPhase.Loading, file.Length, file.Length));
            return;
        }

        using Stream content = file.Open();
        using ProgressStream counted = new(content, n => _progress?.Layer(new LayerProgress(layer.DiffId.Short, TransferPhase.Loading, n, file.Length)));
        ingest.Apply(layer.Index, counted, token);
    }

    private void Finish(ImageIngest ingest, IReadOnlyList<ImageReference> references, IReadOnlyList<byte[]> indexes)
    {
        Image image = ingest.Commit(references, indexes);
        _notes.AddRange(ingest.Notes);
        _loaded.Add(new LoadedImage(image, references));
    }

    private static byte[] ReadBlob(ArchiveContents contents, Descriptor descriptor, string document)
    {
        ImageDocuments.CheckSize(descriptor.Size, document);
        byte[] bytes = contents.ReadDocument(BlobName(descriptor.Digest));
        Digest actual = Digest.Of(bytes);
        return actual == descriptor.Digest
            ? bytes
            : throw new ImageException(ImageError.Corrupt, $"{document}: digest mismatch: the archive's file has {actual}");
    }

    private static string BlobName(Digest digest) => $"blobs/sha256/{digest.Hex}";

    /// <summary>Containerd's annotation has the full name; OCI's may be a name, a name with a tag, or a tag alone, which
    /// names nothing without its repository.</summary>
    private static ImageReference? NameOf(Descriptor descriptor)
    {
        string? full = descriptor.Annotations?.GetValueOrDefault(ImageIndex.ContainerdName);
        if (full is not null && ImageReference.TryParse(full, out ImageReference? name))
        {
            return name;
        }

        string? shortName = descriptor.Annotations?.GetValueOrDefault(ImageIndex.ReferenceName);
        return shortName is not null && shortName != ImageReference.DefaultTag && ImageReference.TryParse(shortName, out name) ? name : null;
    }

    private static ImageReference Reference(string text) =>
        ImageReference.TryParse(text, out ImageReference? reference, out string? problem)
            ? reference
            : throw new ImageException(ImageError.Corrupt, $"manifest.json: RepoTags: {problem}");

    /// <summary>The entry of an index to load: of the platform asked for, else what suits this machine best, else the first. Null where there are
    /// attestations only, whose platform is unknown/unknown.</summary>
    /// <exception cref="ImageException">NotFound: none is of the platform asked for.</exception>
    private Descriptor? Best(IReadOnlyList<Descriptor> entries, ImageReference? name)
    {
        IReadOnlyList<Descriptor> images = [.. entries.Where(entry => entry.Platform?.Os != "unknown")];
        if (wanted is null || images.Count == 0 || images is [{ Platform: null }])
        {
            // What does not say its platform may be this machine's, and is preferred to what says another's.
            return PlatformMatch.Choose(images, PlatformMatch.Host) ?? images.FirstOrDefault(entry => entry.Platform is null) ?? (images.Count > 0 ? images[0] : null);
        }

        return PlatformMatch.Choose(images, wanted) ?? throw NotFor(name, PlatformMatch.Describe(images));
    }

    /// <summary>A manifest does not say its platform; the configuration does.</summary>
    private void CheckPlatform(byte[] config, ImageReference? name)
    {
        if (wanted is null)
        {
            return;
        }

        Platform platform = PlatformMatch.Of(ImageDocuments.ParseConfig(config, "config", out _));
        if (!PlatformMatch.Runs(platform, wanted))
        {
            throw NotFor(name, platform.ToString());
        }
    }

    private ImageException NotFor(ImageReference? name, string platforms) => new(
        ImageError.NotFound, $"{(name is null ? "the archive's image" : name.Familiar)} is not for {wanted} (the archive has {platforms})");

    private static ImageException Empty() => new(ImageError.Corrupt, "the archive is empty");
}
