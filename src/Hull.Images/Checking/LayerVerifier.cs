using System.Text;
using Hull.Images.Tar;
using Hull.Images.Unpacking;
using Hull.Linux;
using Microsoft.Win32.SafeHandles;

namespace Hull.Images.Checking;

/// <summary>Compares an unpacked layer with its archive, entry by entry and byte by byte, without writing. One use.</summary>
/// <remarks>Of an archive that names a path twice the last entry counts, as in unpacking, so a difference is only kept until a later entry of the
/// path agrees. What depends on the layers below is not compared: what a hard link to a lower file copied, and the whiteouts that an
/// opaque root became.</remarks>
internal sealed class LayerVerifier : IDisposable
{
    private readonly SafeFileHandle _root;
    private readonly LayerTree _tree;
    private readonly Dictionary<string, string> _differences = [];
    private readonly HashSet<string> _known = [];
    private readonly byte[] _buffer = new byte[128 * 1024];

    /// <param name="directory">The layer's files.</param>
    public LayerVerifier(string directory)
    {
        _root = Files.Open(directory, OpenFlags.ReadOnly | OpenFlags.Directory);
        _tree = new LayerTree(_root);
    }

    /// <summary>The first difference in words; null where there is none.</summary>
    public string? Compare(TarReader reader)
    {
        while (reader.MoveNext())
        {
            EntryPath path = EntryPath.Parse(reader.Current.Name, "entry");
            if (!path.IsRoot)
            {
                Compare(reader, path);
            }
        }

        return _differences.Values.FirstOrDefault() ?? Unknown(_root, "");
    }

    public void Dispose()
    {
        _tree.Dispose();
        _root.Dispose();
    }

    private void Compare(TarReader reader, EntryPath path)
    {
        TarEntry entry = reader.Current;
        if (LayerUnpacker.IsBookkeeping(path))
        {
            return;
        }

        if (path.Name.AsSpan().SequenceEqual(Whiteout.Opaque))
        {
            // An attribute of the directory, which an entry of its own need not describe.
            Know(Parent(path)?.Path ?? "");
            return;
        }

        bool whiteout = path.Name.AsSpan().StartsWith(Whiteout.Prefix);
        byte[] name = whiteout ? path.Name[Whiteout.Prefix.Length..] : path.Name;
        LayerDirectory? parent = Parent(path);
        string key = parent?.Child(name) ?? Key(path);
        string? difference = parent is null ? "is missing" : Difference(reader, parent, name, whiteout);
        Know(key);
        if (entry.Type == TarType.HardLink)
        {
            // A target of a lower layer was copied into this one.
            Know(Key(EntryPath.Parse(entry.LinkName, "hard link target")));
        }

        if (entry.Type != TarType.Directory)
        {
            // What an earlier directory of the name held went with it.
            foreach (string below in _differences.Keys.Where(known => known.StartsWith(key + "/", StringComparison.Ordinal)).ToArray())
            {
                _differences.Remove(below);
            }
        }

        if (difference is null)
        {
            _differences.Remove(key);
        }
        else
        {
            _differences[key] = $"'{entry.DisplayName}' {difference}";
        }
    }

    /// <summary>Null where a parent is missing, or is no directory any more.</summary>
    private LayerDirectory? Parent(EntryPath path)
    {
        try
        {
            return _tree.Open(path.Parents, path.Whole);
        }
        catch (ImageException)
        {
            return null;
        }
    }

    private static string Key(EntryPath path) => string.Join('/', path.Components.Select(Encoding.Latin1.GetString));

    private string? Difference(TarReader reader, LayerDirectory parent, byte[] name, bool whiteout)
    {
        TarEntry entry = reader.Current;
        if (Files.TryStatAt(parent.Handle, name, out Errno errno) is not { } found)
        {
            return errno == Errno.ENOENT ? "is missing" : throw new SyscallException("statx", entry.DisplayName, errno);
        }

        if (whiteout)
        {
            // Another entry of the layer may have taken the name's place.
            return null;
        }

        FileType wanted = entry.Type switch
        {
            TarType.Directory => FileType.Directory,
            TarType.Regular => FileType.Regular,
            TarType.SymbolicLink => FileType.SymbolicLink,
            TarType.CharacterDevice => FileType.CharacterDevice,
            TarType.BlockDevice => FileType.BlockDevice,
            TarType.Fifo => FileType.Fifo,
            _ => found.Type,
        };
        return found.Type != wanted ? "is of another kind"
            : entry.Type == TarType.Regular ? ContentDifference(reader, parent, name, found)
            : entry.Type == TarType.SymbolicLink && Files.TryReadLink(parent.Handle, name, out _)?.AsSpan().SequenceEqual(entry.LinkName) != true ? "leads elsewhere"
            : null;
    }

    private string? ContentDifference(TarReader reader, LayerDirectory parent, byte[] name, FileMetadata found)
    {
        TarEntry entry = reader.Current;
        if ((long)found.Size != entry.Size)
        {
            return $"has {found.Size} bytes, its archive {entry.Size}";
        }

        using SafeFileHandle file = Files.TryOpenAt(parent.Handle, name, OpenFlags.ReadOnly | OpenFlags.NoFollow, 0, out Errno errno)
            ?? throw new SyscallException("open", entry.DisplayName, errno);
        foreach (SparsePiece piece in entry.Sparse ?? [new SparsePiece(0, entry.Size)])
        {
            long done = 0;
            while (done < piece.Length)
            {
                ReadOnlySpan<byte> expected = reader.ReadContent((int)Math.Min(_buffer.Length, piece.Length - done));
                Span<byte> actual = _buffer.AsSpan(0, expected.Length);
                int have = 0;
                while (have < actual.Length && Files.ReadAt(file, actual[have..], piece.Offset + done + have, entry.DisplayName) is > 0 and int n)
                {
                    have += n;
                }

                if (!actual[..have].SequenceEqual(expected))
                {
                    return "has other content";
                }

                done += expected.Length;
            }
        }

        return null;
    }

    /// <summary>Remembers a path and the directories above it.</summary>
    private void Know(string path)
    {
        for (int end = path.Length; end > 0 && _known.Add(path[..end]); end = path.LastIndexOf('/', end - 1))
        {
        }
    }

    /// <summary>The first path that no entry of the archive made.</summary>
    private string? Unknown(SafeFileHandle directory, string path)
    {
        using SafeFileHandle listing = Files.OpenAt(directory, ".", OpenFlags.ReadOnly | OpenFlags.Directory);
        foreach (DirectoryEntry entry in DirectoryListing.Read(listing, path))
        {
            string child = path.Length == 0 ? Encoding.Latin1.GetString(entry.Name) : $"{path}/{Encoding.Latin1.GetString(entry.Name)}";
            FileMetadata? found = Files.TryStatAt(directory, entry.Name, out _);
            if (found is not { } metadata || Whiteout.Is(metadata))
            {
                continue;
            }

            if (!_known.Contains(child))
            {
                return $"'{TarEntry.Display(Encoding.Latin1.GetBytes(child))}' is not in its archive";
            }

            if (metadata.IsDirectory)
            {
                using SafeFileHandle inner = Files.TryOpenAt(directory, entry.Name, OpenFlags.ReadOnly | OpenFlags.Directory | OpenFlags.NoFollow, 0, out Errno errno)
                    ?? throw new SyscallException("open", TarEntry.Display(entry.Name), errno);
                if (Unknown(inner, child) is { } unknown)
                {
                    return unknown;
                }
            }
        }

        return null;
    }
}
