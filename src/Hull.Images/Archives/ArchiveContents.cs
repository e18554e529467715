using System.Text;
using Hull.Images.Tar;
using Hull.Linux;
using Hull.Oci.ImageSpec;
using Microsoft.Win32.SafeHandles;

namespace Hull.Images.Archives;

/// <summary>The files of an image archive by name, whatever holds them. Names come from hostile documents; they are only ever
/// looked up in what the archive has, so none can lead elsewhere (CVE-2014-9358).</summary>
internal abstract class ArchiveContents : IDisposable
{
    /// <summary>The most files an archive may have.</summary>
    public const int MaxFiles = 20_000;

    /// <summary>The file of that name; null where there is none.</summary>
    public abstract ArchiveFile? Find(string name);

    /// <summary>A small document.</summary>
    /// <exception cref="ImageException">Corrupt: missing or too long.</exception>
    public byte[] ReadDocument(string name)
    {
        ArchiveFile file = Find(name) ?? throw new ImageException(ImageError.Corrupt, $"the archive has no '{TarEntry.Display(Encoding.UTF8.GetBytes(name))}'");
        ImageDocuments.CheckSize(file.Length, name);
        using Stream stream = file.Open();
        byte[] content = new byte[file.Length];
        stream.ReadExactly(content);
        return content;
    }

    public virtual void Dispose()
    {
    }

    /// <summary>A name without "./", doubled and leading slashes.</summary>
    protected static string Normalise(string name) =>
        string.Join('/', name.Split('/').Where(component => component is not ("" or ".")));
}

/// <summary>One file of an archive.</summary>
internal abstract class ArchiveFile
{
    public abstract long Length { get; }

    /// <summary>A stream over the content; the caller disposes it.</summary>
    public abstract Stream Open();

    /// <summary>The content as a blob staged already, which the taker owns; null where it is somewhere else or was taken.</summary>
    public virtual BlobWriter? TakeBlob() => null;
}

/// <summary>A part of an open file.</summary>
internal sealed class FileRange(SafeFileHandle file, long start, long length, string target, bool owned) : ArchiveFile
{
    public override long Length => length;

    public override Stream Open() => owned ? new FileStream(file, FileAccess.Read, bufferSize: 0) : new HandleStream(file, start, length, target);
}

/// <summary>An OCI image layout directory.</summary>
internal sealed class DirectoryContents : ArchiveContents
{
    private readonly string _path;
    private readonly SafeFileHandle _root;

    public DirectoryContents(string path)
    {
        _path = path;
        _root = Files.Open(path, OpenFlags.ReadOnly | OpenFlags.Directory);
    }

    public override ArchiveFile? Find(string name)
    {
        // No links: a layout has none, and a hostile one would point to the host's files.
        SafeFileHandle? file = Files.TryOpenBeneath(
            _root, Normalise(name), OpenFlags.ReadOnly | OpenFlags.NonBlocking, 0, ResolveFlags.Beneath | ResolveFlags.NoSymlinks, out Errno errno);
        if (file is null)
        {
            return errno is Errno.ENOENT or Errno.ENOTDIR or Errno.EXDEV or Errno.ELOOP or Errno.ENAMETOOLONG
                ? null
                : throw new SyscallException("open", $"{_path}/{name}", errno);
        }

        FileMetadata metadata = Files.Stat(file, name);
        if (!metadata.IsRegular)
        {
            file.Dispose();
            return null;
        }

        return new FileRange(file, 0, (long)metadata.Size, $"{_path}/{name}", owned: true);
    }

    public override void Dispose()
    {
        _root.Dispose();
        base.Dispose();
    }
}
