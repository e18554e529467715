using System.Text;
using Hull.Images.Tar;
using Microsoft.Win32.SafeHandles;

namespace Hull.Images.Archives;

/// <summary>The files of a tar archive.</summary>
internal sealed class TarContents : ArchiveContents
{
    private const int MaxInMemory = 256 * 1024;
    private const long MaxMemoryTotal = 64L << 20;
    private const int MaxLinks = 16;
    private readonly Dictionary<string, ArchiveFile> _files = [];
    private readonly Dictionary<string, string> _links = [];
    private readonly List<SpooledFile> _spooled = [];
    private long _memory;

    private TarContents()
    {
    }

    /// <summary>Indexes an uncompressed archive in a file that can be read by position: contents stay where they are.</summary>
    /// <param name="file">The caller keeps owning it, longer than this object.</param>
    public static TarContents Index(SafeFileHandle file, long length, string target)
    {
        TarContents contents = new();
        using HandleStream stream = new(file, 0, length, target);
        TarReader reader = new(new SeekingTarInput(stream));
        while (reader.MoveNext())
        {
            contents.Add(reader.Current, () =>
            {
                if (reader.Current.StoredSize > length - reader.Position)
                {
                    throw new ImageException(
                        ImageError.Corrupt, $"truncated: the archive ends inside '{reader.Current.DisplayName}', {reader.Current.StoredSize - (length - reader.Position)} bytes early");
                }

                return new FileRange(file, reader.Position, reader.Current.StoredSize, target, owned: false);
            });
        }

        return contents;
    }

    /// <summary>Reads an archive that comes as a stream: large files become staged blobs, so that a layer is written once only;
    /// small ones stay in memory.</summary>
    public static TarContents Spool(TarInput input, BlobStore blobs)
    {
        TarContents contents = new();
        try
        {
            TarReader reader = new(input);
            while (reader.MoveNext())
            {
                contents.Add(reader.Current, () => contents.Store(reader, blobs));
            }

            return contents;
        }
        catch
        {
            contents.Dispose();
            throw;
        }
    }

    public override ArchiveFile? Find(string name)
    {
        string current = Normalise(name);
        for (int i = 0; i < MaxLinks; i++)
        {
            if (_files.TryGetValue(current, out ArchiveFile? file))
            {
                return file;
            }

            // Old docker archives link equal layers to each other.
            if (!_links.TryGetValue(current, out string? target))
            {
                return null;
            }

            current = target;
        }

        return null;
    }

    public override void Dispose()
    {
        foreach (SpooledFile file in _spooled)
        {
            file.Discard();
        }

        base.Dispose();
    }

    private void Add(TarEntry entry, Func<ArchiveFile> store)
    {
        if (_files.Count + _links.Count >= MaxFiles)
        {
            throw new ImageException(ImageError.Corrupt, $"the archive has more than {MaxFiles} files, which is the limit");
        }

        string name = Normalise(Encoding.UTF8.GetString(entry.Name));
        switch (entry.Type)
        {
            case TarType.Regular when entry.Sparse is null:
                _files[name] = store();
                _links.Remove(name);
                break;
            case TarType.HardLink:
                _links[name] = Normalise(Encoding.UTF8.GetString(entry.LinkName));
                break;
            case TarType.SymbolicLink:
                _links[name] = Resolve(name, Encoding.UTF8.GetString(entry.LinkName));
                break;
            default:
                break;
        }
    }

    private ArchiveFile Store(TarReader reader, BlobStore blobs)
    {
        long size = reader.Current.StoredSize;
        if (size <= MaxInMemory && _memory + size <= MaxMemoryTotal)
        {
            byte[] content = new byte[size];
            int at = 0;
            for (ReadOnlySpan<byte> slice = reader.ReadContent(int.MaxValue); !slice.IsEmpty; slice = reader.ReadContent(int.MaxValue))
            {
                slice.CopyTo(content.AsSpan(at));
                at += slice.Length;
            }

            _memory += size;
            return new MemoryFile(content);
        }

        BlobWriter writer = blobs.Begin();
        SpooledFile file = new(writer);
        _spooled.Add(file);
        for (ReadOnlySpan<byte> slice = reader.ReadContent(int.MaxValue); !slice.IsEmpty; slice = reader.ReadContent(int.MaxValue))
        {
            writer.Write(slice);
        }

        writer.Finish();
        return file;
    }

    /// <summary>A link's target relative to its directory, within the names of the archive.</summary>
    private static string Resolve(string name, string target)
    {
        List<string> components = target.StartsWith('/') ? [] : [.. name.Split('/')[..^1]];
        foreach (string component in target.Split('/'))
        {
            if (component == "..")
            {
                if (components.Count > 0)
                {
                    components.RemoveAt(components.Count - 1);
                }
            }
            else if (component is not ("" or "."))
            {
                components.Add(component);
            }
        }

        return string.Join('/', components);
    }

    private sealed class MemoryFile(byte[] content) : ArchiveFile
    {
        public override long Length => content.Length;

        public override Stream Open() => new MemoryStream(content, writable: false);
    }

    private sealed class SpooledFile(BlobWriter writer) : ArchiveFile
    {
        private bool _taken;

        public override long Length => writer.Length;

        public override Stream Open() => writer.OpenRead();

        public override BlobWriter? TakeBlob()
        {
            if (_taken)
            {
                return null;
            }

            _taken = true;
            return writer;
        }

        public void Discard()
        {
            if (!_taken)
            {
                writer.Dispose();
            }
        }
    }

    /// <summary>Passes over contents by position.</summary>
    private sealed class SeekingTarInput(HandleStream stream) : TarInput
    {
        private readonly StreamTarInput _input = new(stream, 16 * 1024);

        public override ReadOnlySpan<byte> Take(int max) => _input.Take(max);

        public override long Skip(long count)
        {
            long buffered = _input.SkipBuffered(count);
            long rest = Math.Min(count - buffered, stream.Length - stream.Position);
            stream.Position += rest;
            return buffered + rest;
        }
    }
}
