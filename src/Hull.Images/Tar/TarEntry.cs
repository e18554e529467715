using System.Text;

namespace Hull.Images.Tar;

/// <summary>What an entry makes, by the type flag of its header.</summary>
internal enum TarType : byte
{
    Regular = (byte)'0',
    HardLink = (byte)'1',
    SymbolicLink = (byte)'2',
    CharacterDevice = (byte)'3',
    BlockDevice = (byte)'4',
    Directory = (byte)'5',
    Fifo = (byte)'6',
}

/// <summary>One entry with all its extension headers applied. Names are bytes: an archive from a Latin-1 system is
/// not UTF-8.</summary>
internal sealed class TarEntry
{
    public byte[] Name { get; set; } = [];

    /// <summary>The target of a hard or symbolic link.</summary>
    public byte[] LinkName { get; set; } = [];

    public TarType Type { get; set; }

    /// <summary>Permission bits with setuid, setgid and sticky.</summary>
    public uint Mode { get; set; }

    public uint UserId { get; set; }

    public uint GroupId { get; set; }

    /// <summary>Bytes of content in the archive; of a sparse file without its holes.</summary>
    public long StoredSize { get; set; }

    /// <summary>Bytes of the file when made.</summary>
    public long Size { get; set; }

    /// <summary>Seconds since 1970, negative before; <see cref="ModifiedNanoseconds"/> count forward from them.</summary>
    public long ModifiedSeconds { get; set; }

    public uint ModifiedNanoseconds { get; set; }

    public uint DeviceMajor { get; set; }

    public uint DeviceMinor { get; set; }

    /// <summary>Extended attributes (PAX <c>SCHILY.xattr.</c>); null where there are none.</summary>
    public List<(string Name, byte[] Value)>? Attributes { get; set; }

    /// <summary>The pieces of a sparse file that are not holes; null for an ordinary file.</summary>
    public List<SparsePiece>? Sparse { get; set; }

    public string DisplayName => Display(Name);

    /// <summary>Bytes as text for a message: UTF-8 where valid, no control characters, at most 200 characters.</summary>
    public static string Display(ReadOnlySpan<byte> name)
    {
        string text = Encoding.UTF8.GetString(name.Length > 800 ? name[..800] : name);
        return string.Concat(text.Take(200).Select(c => char.IsControl(c) ? '?' : c)) + (text.Length > 200 ? "…" : "");
    }
}

/// <summary>A run of data at an offset of a sparse file.</summary>
internal readonly record struct SparsePiece(long Offset, long Length);
