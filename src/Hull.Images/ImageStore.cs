using System.Buffers;
using System.Text;
using Hull.Linux;
using Hull.Oci;
using Hull.Oci.ImageSpec;
using Microsoft.Win32.SafeHandles;

namespace Hull.Images;

/// <summary>The images below one data root. Thread-safe, and safe among processes: every change is a rename under a lock,
/// every lookup reads without one.</summary>
/// <remarks>A name is a symbolic link to the image's record: moving a tag is one rename(2), and finding an image by name
/// reads one link and one file whatever the number of images. See <see cref="NameTarget"/>.</remarks>
public sealed partial class ImageStore
{
    private const int HexLength = 64;
    private static readonly SearchValues<char> HexDigits = SearchValues.Create("0123456789abcdef");
    private readonly StoreLayout _layout;

    private ImageStore(string dataRoot, ImageStoreOptions options)
    {
        Options = options;
        _layout = new StoreLayout(dataRoot);
        Blobs = new BlobStore(_layout);
        Layers = new LayerStore(_layout);
        Origins = new LayerOrigins(_layout);
    }

    public BlobStore Blobs { get; }

    public LayerStore Layers { get; }

    public ImageStoreOptions Options { get; }

    internal LayerOrigins Origins { get; }

    internal StoreLayout Layout => _layout;

    /// <summary>The store below <paramref name="dataRoot"/> (absolute). Makes no system call: a store that does not exist
    /// yet is empty, and made by the first write.</summary>
    public static ImageStore Open(string dataRoot, ImageStoreOptions? options = null) =>
        new(Path.GetFullPath(dataRoot), options ?? new ImageStoreOptions());

    /// <summary>Finds an image by what a user types: a full id, <c>name[:tag][@digest]</c>, or an unambiguous prefix of an
    /// id, in docker's order.</summary>
    public ImageMatch Find(string reference)
    {
        string hex = reference.StartsWith("sha256:", StringComparison.Ordinal) ? reference[7..] : reference;
        if (Digest.TryParse("sha256:" + hex, out Digest id))
        {
            return TryRead(_layout.Record(id)) is { } byId
                ? ImageMatch.Found(ToImage(byId), null)
                : ImageMatch.None(reference, null);
        }

        bool valid = ImageReference.TryParse(reference, out ImageReference? name, out string? problem);
        if (valid && TryReadName(name!) is { } byName)
        {
            return ImageMatch.Found(byName, name);
        }

        if (hex.Length > 0 && hex.Length < HexLength && !hex.AsSpan().ContainsAnyExcept(HexDigits))
        {
            IReadOnlyList<Digest> ids = [.. Ids().Where(candidate => candidate.Hex.StartsWith(hex, StringComparison.Ordinal)).Take(2)];
            if (ids.Count > 1)
            {
                return ImageMatch.Bad($"the id prefix {hex} is ambiguous: more digits are needed");
            }

            if (ids.Count == 1 && TryRead(_layout.Record(ids[0])) is { } byPrefix)
            {
                return ImageMatch.Found(ToImage(byPrefix), null);
            }
        }

        return valid ? ImageMatch.None(reference, name) : ImageMatch.Bad(problem!);
    }

    /// <summary>The names with a tag in a repository, in the order of the tags.</summary>
    public IReadOnlyList<ImageReference> TagsOf(ImageReference repository) =>
        [.. AllReferences().Select(pair => pair.Reference).Where(name => name.Name == repository.Name && name.Tag is not null)];

    /// <summary>The configuration as it was made, history included.</summary>
    /// <exception cref="ImageException">The blob is missing or was changed.</exception>
    public ImageConfig ReadConfig(Image image) =>
        ImageDocuments.ParseConfig(Blobs.ReadAll(image.Id, ImageDocuments.MaxSize), $"config {image.Id}", out _);

    /// <param name="index">What the name led through by which it was found.</param>
    internal Image ToImage(ImageRecord record, Digest? index = null) => new(record, index, new Lazy<StoreNames>(ReadNames));

    /// <summary>The image of a name. One reading of its link says which, and which index it came with, so that both fit together.</summary>
    private Image? TryReadName(ImageReference name) =>
        Files.TryReadLink(null, PathOf(name), out Errno errno) is { } link
            ? NameTarget.Parse(link) is { } target && TryRead(_layout.Record(target.Id)) is { } record ? ToImage(record, target.Index) : null
            : errno is Errno.ENOENT or Errno.ENAMETOOLONG ? null : throw new SyscallException("readlink", PathOf(name), errno);

    /// <summary>The ids of all images, unordered.</summary>
    internal IEnumerable<Digest> Ids()
    {
        foreach (string name in Names(_layout.Records))
        {
            if (name.EndsWith(".json", StringComparison.Ordinal) && Digest.TryParse("sha256:" + name[..^5], out Digest id))
            {
                yield return id;
            }
        }
    }

    /// <summary>A record by its own path or by a name's link; null where there is none.</summary>
    internal static ImageRecord? TryRead(string path)
    {
        using SafeFileHandle? file = Files.TryOpenAt(null, path, OpenFlags.ReadOnly, 0, out Errno errno);
        if (file is null)
        {
            return errno is Errno.ENOENT or Errno.ENAMETOOLONG ? null : throw new SyscallException("open", path, errno);
        }

        return ImageRecordReader.Parse(Files.ReadAll(file, ImageDocuments.MaxSize, path), path);
    }

    /// <summary>The records that can be read: a damaged one, which a check names, must not hide the others.</summary>
    private IEnumerable<ImageRecord> ReadableRecords()
    {
        foreach (Digest id in Ids())
        {
            ImageRecord? record;
            try
            {
                record = TryRead(_layout.Record(id));
            }
            catch (ImageException e) when (e.Kind == ImageError.Corrupt)
            {
                continue;
            }

            if (record is not null)
            {
                yield return record;
            }
        }
    }

    /// <summary>The link of a name. With a tag and a digest the digest decides, as docker has it.</summary>
    private string PathOf(ImageReference name) => $"{_layout.References}/{FileName(name)}";

    private static string FileName(ImageReference name) =>
        (name.Digest is null ? $"{name.Name}:{name.Tag}" : $"{name.Name}@{name.Digest}").Replace('/', '+');

    /// <summary>Every name with the image it stands for, in the order of the names.</summary>
    private IEnumerable<NameTarget> AllReferences()
    {
        foreach (string name in Names(_layout.References).Order(StringComparer.Ordinal))
        {
            if (Files.TryReadLink(null, $"{_layout.References}/{name}", out _) is { } link
                && ImageReference.TryParse(name.Replace('+', '/'), out ImageReference? reference)
                && NameTarget.Parse(link) is { } target)
            {
                yield return new NameTarget(reference, target.Id, target.Index);
            }
        }
    }

    /// <summary>The names in a directory, without what is being written; none where it does not exist.</summary>
    internal static List<string> Names(string directory)
    {
        using SafeFileHandle? handle = Files.TryOpenAt(null, directory, OpenFlags.ReadOnly | OpenFlags.Directory, 0, out Errno errno);
        if (handle is null)
        {
            return errno == Errno.ENOENT ? [] : throw new SyscallException("open", directory, errno);
        }

        return [.. DirectoryListing.Read(handle, directory)
            .Where(entry => !entry.Name.AsSpan().StartsWith("new-"u8))
            .Select(entry => Encoding.UTF8.GetString(entry.Name))];
    }
}
