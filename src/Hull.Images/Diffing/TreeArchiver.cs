using Hull.Images.Tar;
using Hull.Images.Unpacking;
using Hull.Linux;
using Microsoft.Win32.SafeHandles;

namespace Hull.Images.Diffing;

/// <summary>Writes files of the host into an archive with all that a layer keeps of them: owner, mode, time, attributes, hard links,
/// holes. Equal files in equal order give equal bytes. One use, one thread.</summary>
/// <remarks>Access and change times, inode numbers and names of owners are left out: they are the host's. Sockets are too; a tar
/// has no form for them, and they mean nothing without their process.</remarks>
/// <param name="isLayer">The archive is a layer: in it names that begin with <c>.wh.</c> are deletions, so that no file can have one.</param>
internal sealed class TreeArchiver(TarWriter tar, bool isLayer)
{
    /// <summary>Holes are kept where they save at least this much: smaller ones are chance, and a map costs a block or more.</summary>
    private const long LeastHoles = 64 * 1024;

    private const OpenFlags Reading = OpenFlags.ReadOnly | OpenFlags.NoFollow | OpenFlags.NonBlocking;
    private readonly Dictionary<(uint Major, uint Minor, ulong Inode), byte[]> _links = [];
    private readonly byte[] _buffer = new byte[256 * 1024];

    /// <summary>Whether nothing was written.</summary>
    public bool IsEmpty { get; private set; } = true;

    /// <summary>Writes one file; of a directory the entry alone.</summary>
    /// <param name="parent">The directory that has it.</param>
    /// <param name="path">Its name in the archive.</param>
    /// <exception cref="ImageException">Host: a layer has no form for the name.</exception>
    /// <exception cref="SyscallException">The file cannot be read.</exception>
    public void Add(SafeFileHandle parent, byte[] name, byte[] path, FileMetadata metadata)
    {
        if (isLayer && name.AsSpan().StartsWith(Whiteout.Prefix))
        {
            throw new ImageException(
                ImageError.Host, $"'/{TarEntry.Display(path)}': in a layer a name that begins with '.wh.' deletes a file, so none can be called so (rename or remove it)");
        }

        TarEntry entry = new()
        {
            Name = path,
            Mode = metadata.Permissions,
            UserId = metadata.UserId,
            GroupId = metadata.GroupId,
            ModifiedSeconds = metadata.ModifiedSeconds,
            ModifiedNanoseconds = metadata.ModifiedNanoseconds,
        };
        if (!metadata.IsDirectory && metadata.Links > 1 && IsFurtherLink(metadata, entry))
        {
            Write(entry);
            return;
        }

        switch (metadata.Type)
        {
            case FileType.Regular:
                AddFile(parent, name, entry, metadata);
                return;
            case FileType.Directory:
                entry.Type = TarType.Directory;
                entry.Name = [.. path, (byte)'/'];
                using (SafeFileHandle directory = Open(parent, name, path, Reading | OpenFlags.Directory))
                {
                    entry.Attributes = LayerAttributes.Read(directory, entry.DisplayName);
                }

                break;
            case FileType.SymbolicLink:
                entry.Type = TarType.SymbolicLink;
                entry.LinkName = Files.TryReadLink(parent, name, out Errno errno) ?? throw new SyscallException("readlink", entry.DisplayName, errno);
                break;
            case FileType.Fifo:
                entry.Type = TarType.Fifo;
                break;
            case FileType.CharacterDevice or FileType.BlockDevice:
                entry.Type = metadata.Type == FileType.BlockDevice ? TarType.BlockDevice : TarType.CharacterDevice;
                (entry.DeviceMajor, entry.DeviceMinor) = (metadata.RawDeviceMajor, metadata.RawDeviceMinor);
                break;
            default:
                return;
        }

        Write(entry);
    }

    /// <summary>Writes what the root directory itself is.</summary>
    public void AddRoot(SafeFileHandle root, FileMetadata metadata) => Add(root, "."u8.ToArray(), "."u8.ToArray(), metadata);

    /// <summary>Writes that the layers below lose a name (OCI image-spec layer.md, "Whiteouts").</summary>
    public void AddWhiteout(ReadOnlySpan<byte> directory, ReadOnlySpan<byte> name) =>
        Write(new TarEntry { Name = [.. directory, .. Whiteout.Prefix, .. name], Type = TarType.Regular });

    /// <summary>Writes that a directory hides all that the layers below have in it.</summary>
    /// <param name="directory">With its slash.</param>
    public void AddOpaque(ReadOnlySpan<byte> directory) => Write(new TarEntry { Name = [.. directory, .. Whiteout.Opaque], Type = TarType.Regular });

    /// <summary>The first of a file's names has the content, the others are links to it.</summary>
    private bool IsFurtherLink(FileMetadata metadata, TarEntry entry)
    {
        (uint, uint, ulong) inode = (metadata.DeviceMajor, metadata.DeviceMinor, metadata.Inode);
        if (!_links.TryGetValue(inode, out byte[]? first))
        {
            _links.Add(inode, entry.Name);
            return false;
        }

        entry.Type = TarType.HardLink;
        entry.LinkName = first;
        return true;
    }

    private void AddFile(SafeFileHandle parent, byte[] name, TarEntry entry, FileMetadata metadata)
    {
        using SafeFileHandle file = Open(parent, name, entry.Name, Reading);
        long size = (long)metadata.Size;
        entry.Type = TarType.Regular;
        entry.Attributes = LayerAttributes.Read(file, entry.DisplayName);
        entry.Size = entry.StoredSize = size;
        List<SparsePiece> pieces = [new(0, size)];
        if (size - ((long)metadata.Blocks * 512) >= LeastHoles && FindData(file, size, entry.DisplayName) is { } found)
        {
            entry.Sparse = pieces = found;
            entry.StoredSize = pieces.Sum(piece => piece.Length);
        }

        Write(entry);
        foreach (SparsePiece piece in pieces)
        {
            Copy(file, piece, entry.DisplayName);
        }

        tar.EndContent(entry.StoredSize);
    }

    /// <summary>The pieces that are not holes; null where there is no hole after all.</summary>
    private static List<SparsePiece>? FindData(SafeFileHandle file, long size, string display)
    {
        List<SparsePiece> pieces = [];
        long at = 0;
        while (at < size && Files.NextData(file, at, display) is { } start && start < size)
        {
            at = Math.Min(size, Files.NextHole(file, start, display));
            pieces.Add(new SparsePiece(start, at - start));
        }

        if (pieces is [{ Offset: 0 } whole] && whole.Length == size)
        {
            return null;
        }

        // GNU tar ends its map with where the file ends, for readers that take the last piece's end for the file's.
        pieces.Add(new SparsePiece(size, 0));
        return pieces;
    }

    /// <summary>The length was announced: of a file that grows meanwhile the rest is left out, one that shrinks is filled up.</summary>
    private void Copy(SafeFileHandle file, SparsePiece piece, string display)
    {
        long done = 0;
        while (done < piece.Length)
        {
            Span<byte> part = _buffer.AsSpan(0, (int)Math.Min(_buffer.Length, piece.Length - done));
            int n = Files.ReadAt(file, part, piece.Offset + done, display);
            if (n == 0)
            {
                part.Clear();
                n = part.Length;
            }

            tar.Content(part[..n]);
            done += n;
        }
    }

    private void Write(TarEntry entry)
    {
        tar.Add(entry);
        IsEmpty = false;
    }

    private static SafeFileHandle Open(SafeFileHandle parent, byte[] name, byte[] path, OpenFlags flags) =>
        Files.TryOpenAt(parent, name, flags, 0, out Errno errno) ?? throw new SyscallException("open", TarEntry.Display(path), errno);
}
