using System.Globalization;
using System.Text;

namespace Hull.Images.Tar;

/// <summary>Headers: ustar (POSIX.1-1988), and before it a PAX header (POSIX.1-2001) for what does not fit.</summary>
internal sealed partial class TarWriter
{
    private const int NameField = 100;

    /// <summary>The largest number of an octal field of eight bytes.</summary>
    private const long MaxShort = (1L << 21) - 1;

    /// <summary>The largest number of an octal field of twelve bytes.</summary>
    private const long MaxLong = (1L << 33) - 1;

    /// <summary>Begins an entry. <see cref="TarEntry.StoredSize"/> bytes of content follow, then <see cref="EndContent"/>.</summary>
    /// <remarks>Of a sparse file the content is only what its pieces cover; its map is written here, as GNU tar's
    /// format 1.0 has it.</remarks>
    public void Add(TarEntry entry)
    {
        byte[] map = entry.Sparse is null ? [] : SparseMap(entry.Sparse);
        long stored = entry.StoredSize + map.Length;
        byte[] records = Records(entry, stored);
        if (records.Length > 0)
        {
            Header("././@PaxHeader"u8, [], (byte)'x', new TarEntry { Mode = 0x1A4 }, records.Length);
            output.Write(records);
            EndContent(records.Length);
        }

        Header(entry.Name, entry.LinkName, (byte)entry.Type, entry, stored);
        output.Write(map);
    }

    private void Header(ReadOnlySpan<byte> name, ReadOnlySpan<byte> link, byte type, TarEntry entry, long size)
    {
        Span<byte> header = _header;
        header.Clear();
        name[..Math.Min(name.Length, NameField)].CopyTo(header);
        Octal(header[100..108], entry.Mode);
        Octal(header[108..116], Fits(entry.UserId, MaxShort));
        Octal(header[116..124], Fits(entry.GroupId, MaxShort));
        Octal(header[124..136], Fits(size, MaxLong));
        Octal(header[136..148], Fits(entry.ModifiedSeconds, MaxLong));
        header[156] = type;
        link[..Math.Min(link.Length, NameField)].CopyTo(header[157..]);
        "ustar\000"u8.CopyTo(header[257..]);
        if (entry.Type is TarType.CharacterDevice or TarType.BlockDevice)
        {
            Octal(header[329..337], entry.DeviceMajor);
            Octal(header[337..345], entry.DeviceMinor);
        }

        header[148..156].Fill((byte)' ');
        int sum = 0;
        foreach (byte value in header)
        {
            sum += value;
        }

        Octal(header[148..155], sum);
        output.Write(header);
    }

    /// <summary>What the header has no room for, in the order of the keys.</summary>
    private static byte[] Records(TarEntry entry, long stored)
    {
        SortedDictionary<string, byte[]> records = new(StringComparer.Ordinal);
        void Number(string key, long value, long most)
        {
            if (value > most)
            {
                records[key] = Decimal(value);
            }
        }

        Number("uid", entry.UserId, MaxShort);
        Number("gid", entry.GroupId, MaxShort);
        Number("size", stored, MaxLong);
        if (entry.Name.Length > NameField)
        {
            records["path"] = entry.Name;
        }

        if (entry.LinkName.Length > NameField)
        {
            records["linkpath"] = entry.LinkName;
        }

        if (entry.ModifiedNanoseconds != 0 || Fits(entry.ModifiedSeconds, MaxLong) != entry.ModifiedSeconds)
        {
            records["mtime"] = Encoding.ASCII.GetBytes(Time(entry.ModifiedSeconds, entry.ModifiedNanoseconds));
        }

        foreach ((string name, byte[] value) in entry.Attributes ?? [])
        {
            records[TarReader.AttributePrefix + name] = value;
        }

        if (entry.Sparse is not null)
        {
            records["GNU.sparse.major"] = "1"u8.ToArray();
            records["GNU.sparse.minor"] = "0"u8.ToArray();
            records["GNU.sparse.name"] = entry.Name;
            records["GNU.sparse.realsize"] = Decimal(entry.Size);
        }

        using MemoryStream all = new();
        foreach ((string key, byte[] value) in records)
        {
            Record(all, key, value);
        }

        return all.ToArray();
    }

    /// <summary><c>LENGTH KEY=VALUE\n</c>, the length counting itself.</summary>
    private static void Record(MemoryStream all, string key, byte[] value)
    {
        byte[] name = Encoding.UTF8.GetBytes(key);
        int rest = name.Length + value.Length + 3;
        int length = rest + 1;
        while (Decimal(length).Length + rest != length)
        {
            length++;
        }

        all.Write(Decimal(length));
        all.WriteByte((byte)' ');
        all.Write(name);
        all.WriteByte((byte)'=');
        all.Write(value);
        all.WriteByte((byte)'\n');
    }

    /// <summary>Decimal lines, padded to a block: the count of pieces, then offset and length of each.</summary>
    private static byte[] SparseMap(List<SparsePiece> pieces)
    {
        StringBuilder lines = new();
        lines.Append(CultureInfo.InvariantCulture, $"{pieces.Count}\n");
        foreach (SparsePiece piece in pieces)
        {
            lines.Append(CultureInfo.InvariantCulture, $"{piece.Offset}\n{piece.Length}\n");
        }

        byte[] map = new byte[(lines.Length + TarReader.BlockSize - 1) / TarReader.BlockSize * TarReader.BlockSize];
        Encoding.ASCII.GetBytes(lines.ToString(), map);
        return map;
    }

    /// <summary>Seconds with a fraction. Nanoseconds count forward from the second, the sign covers both: second -2 and half a second is -1.5.</summary>
    private static string Time(long seconds, uint nanoseconds)
    {
        bool negative = seconds < 0;
        (long whole, long part) = negative && nanoseconds > 0 ? (-(seconds + 1), 1_000_000_000 - nanoseconds) : (Math.Abs(seconds), nanoseconds);
        string fraction = part == 0 ? "" : "." + part.ToString("D9", CultureInfo.InvariantCulture).TrimEnd('0');
        return $"{(negative ? "-" : "")}{whole.ToString(CultureInfo.InvariantCulture)}{fraction}";
    }

    /// <summary>The value where an octal field has room for it, else 0: a PAX record has it.</summary>
    private static long Fits(long value, long most) => value >= 0 && value <= most ? value : 0;

    /// <summary>Digits and a NUL.</summary>
    private static void Octal(Span<byte> field, long value)
    {
        for (int i = field.Length - 2; i >= 0; i--)
        {
            field[i] = (byte)('0' + (value & 7));
            value >>= 3;
        }

        field[^1] = 0;
    }

    private static byte[] Decimal(long value) => Encoding.ASCII.GetBytes(value.ToString(CultureInfo.InvariantCulture));
}
