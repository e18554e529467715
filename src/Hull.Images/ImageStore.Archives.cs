using System.Runtime.InteropServices;
using Hull.Images.Archives;
using Hull.Images.Codecs;
using Hull.Images.Registry;
using Hull.Oci;
using Hull.Oci.ImageSpec;

namespace Hull.Images;

/// <summary>Images from and to files: load, save, import.</summary>
public sealed partial class ImageStore
{
    /// <summary>Loads every image of a docker archive, an OCI archive or an OCI layout directory; archives may be compressed.</summary>
    /// <param name="platform">Load this one only; null for what suits this machine best.</param>
    /// <param name="progress">Told of each layer, and of an archive that can only be read from its beginning to its end.</param>
    /// <exception cref="ImageException">Corrupt or Host; names the file. NotFound: an image is not for the platform.</exception>
    /// <exception cref="Linux.SyscallException">The file cannot be read.</exception>
    public LoadResult Load(string path, Platform? platform = null, ITransferProgress? progress = null, CancellationToken cancel = default) =>
        Explained(path, () => new ImageLoader(this, platform, progress, cancel).Load(path));

    /// <summary>Loads from a stream that need not seek, such as standard input.</summary>
    /// <param name="platform">As for a file.</param>
    /// <param name="progress">As for a file.</param>
    /// <exception cref="ImageException">Corrupt, Host or NotFound.</exception>
    public LoadResult Load(Stream stream, Platform? platform = null, ITransferProgress? progress = null, CancellationToken cancel = default) =>
        Explained(null, () => new ImageLoader(this, platform, progress, cancel).Load(stream));

    /// <summary>Writes images as one archive for <c>load</c>, docker and OCI tools. An image that came with an index is saved with it, if all that
    /// it leads to is here.</summary>
    /// <param name="names">As the user typed them: an id saves no name, a name with a tag that name, a name without a tag all
    /// tags of the repository.</param>
    /// <param name="platform">Which of its images each name gives; null for what it stands for.</param>
    /// <exception cref="ImageException">NotFound or Invalid, before anything is written.</exception>
    public void Save(IReadOnlyList<string> names, Stream output, Platform? platform = null)
    {
        using IDisposable use = Hold();
        List<(Image Image, List<ImageReference> Names)> images = [];
        void Add(Image image, ImageReference? name)
        {
            (Image Image, List<ImageReference> Names) entry = images.FirstOrDefault(known => known.Image.Id == image.Id && known.Image.Index == image.Index);
            if (entry.Image is null)
            {
                entry = (image, []);
                images.Add(entry);
            }

            if (name is not null && !entry.Names.Contains(name))
            {
                entry.Names.Add(name);
            }
        }

        foreach (string typed in names)
        {
            if (ImageReference.TryParse(typed, out ImageReference? reference) && reference.Digest is null && reference.Familiar != typed && reference.ToString() != typed)
            {
                IReadOnlyList<ImageReference> tags = TagsOf(reference);
                foreach (ImageReference tag in tags)
                {
                    Add(Find(tag.ToString(), platform).Required(), tag);
                }

                if (tags.Count > 0)
                {
                    continue;
                }
            }

            ImageMatch match = Find(typed, platform);
            Add(match.Required(), match.Reference is { Digest: null } name ? name : null);
        }

        new ImageSaver(this).Save(
            [.. images.Select(entry => new SavedImage(entry.Image, entry.Names, platform is null ? WholeIndexOf(entry.Image) : null))], output);
    }

    /// <summary>The index that an image came with; null where something of it is not here, so that the image goes alone.</summary>
    private StoredIndex? WholeIndexOf(Image image) =>
        image.Index is { } digest && StoredIndex.TryRead(Blobs, digest) is { IsComplete: true } index ? index : null;

    /// <summary>Makes an image of one layer from the tar of a file system, compressed or not.</summary>
    /// <param name="comment">Of the history; docker writes <c>Imported from -</c>.</param>
    /// <param name="defaults">What a container of the image starts with.</param>
    /// <exception cref="ImageException">Corrupt or Host.</exception>
    public Image Import(
        Stream tar, ImageReference? reference, string comment, ImageDefaults? defaults = null, Platform? platform = null, CancellationToken cancel = default)
    {
        using IDisposable use = Hold();
        Sweep();
        DateTimeOffset now = DateTimeOffset.UtcNow;
        using StagedLayer staged = Applier.Stage(tar, null, null, Blobs.Begin(), cancel);
        if (staged.IsEmptyStream)
        {
            throw new ImageException(ImageError.Corrupt, "the archive is empty");
        }

        staged.Commit([]);
        Digest blob = staged.BlobDigest!.Value;
        ImageConfig config = new()
        {
            Created = now,
            Architecture = platform?.Architecture ?? HostArchitecture,
            Variant = platform?.Variant,
            Os = platform?.Os ?? "linux",
            Comment = comment,
            Defaults = defaults ?? new ImageDefaults(),
            Rootfs = new ImageRootfs { Type = "layers", DiffIds = [staged.DiffId.ToString()] },
            History = [new ImageHistory { Created = now, Comment = comment }],
        };
        using ImageIngest ingest = BeginIngest(
            config, [new Descriptor { MediaType = LayerMediaType(blob), Digest = blob, Size = Blobs.TrySize(blob)!.Value }]);
        return ingest.Commit(reference is null ? [] : [reference]);
    }

    /// <summary>This machine in the words of images: <c>amd64</c>, <c>arm64</c>.</summary>
    public static string HostArchitecture => RuntimeInformation.ProcessArchitecture == Architecture.Arm64 ? "arm64" : "amd64";

    private static LoadResult Explained(string? path, Func<LoadResult> load)
    {
        string prefix = path is null ? "" : $"{path}: ";
        try
        {
            return load();
        }
        catch (ImageException e)
        {
            throw new ImageException(e.Kind, prefix + e.Message, e);
        }
        catch (ImageSpecException e)
        {
            throw new ImageException(ImageError.Corrupt, prefix + e.Message, e);
        }
    }

    private string LayerMediaType(Digest blob)
    {
        using FileStream stream = Blobs.OpenRead(blob);
        byte[] start = new byte[Decompressor.MagicLength];
        int n = stream.ReadAtLeast(start, start.Length, throwOnEndOfStream: false);
        return Decompressor.Sniff(start.AsSpan(0, n)) switch
        {
            Compression.Gzip => MediaTypes.OciLayerGzip,
            Compression.Zstd => MediaTypes.OciLayerZstd,
            _ => MediaTypes.OciLayer,
        };
    }
}
