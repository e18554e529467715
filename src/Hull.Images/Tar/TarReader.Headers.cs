using System.Buffers.Text;
using System.Globalization;
using System.Text;

namespace Hull.Images.Tar;

/// <summary>Fields of headers and PAX records.</summary>
internal sealed partial class TarReader
{
    public const string AttributePrefix = "SCHILY.xattr.";

    private TarEntry ParseEntry(byte type)
    {
        ReadOnlySpan<byte> header = _header;
        // "ustar\0" is POSIX; "ustar  " is GNU, which keeps other things where POSIX has the name's prefix.
        bool posix = header[257..263].SequenceEqual("ustar\0"u8);
        byte[] name = Text(header[..100]);
        if (posix && header[345] != 0)
        {
            name = [.. Text(header[345..500]), (byte)'/', .. name];
        }

        TarEntry entry = new()
        {
            Name = Path("path") ?? _extensions.LongName ?? name,
            LinkName = Path("linkpath") ?? _extensions.LongLink ?? Text(header[157..257]),
            Mode = (uint)(ParseNumber(header[100..108], "mode") & 0xFFF),
        };
        entry.UserId = Id("uid", header[108..116], entry);
        entry.GroupId = Id("gid", header[116..124], entry);
        (entry.ModifiedSeconds, entry.ModifiedNanoseconds) = Record("mtime") is { } mtime
            ? ParseTime(mtime, entry)
            : (ParseNumber(header[136..148], "mtime"), 0);
        entry.Type = TypeOf(type, entry);
        if (entry.Type is TarType.CharacterDevice or TarType.BlockDevice)
        {
            entry.DeviceMajor = Device(header[329..337], entry);
            entry.DeviceMinor = Device(header[337..345], entry);
        }

        ReadAttributes(entry);
        long size = Record("size") is { } text ? Decimal(text, "size") : ParseNumber(header[124..136], "size");
        if (size < 0)
        {
            throw Corrupt($"'{entry.DisplayName}' has the size {size}");
        }

        // Only regular files have content; the size of other types means nothing (a directory may give its quota).
        entry.StoredSize = entry.Size = entry.Type == TarType.Regular ? size : 0;
        BeginContent(entry.StoredSize);
        if (entry.Type == TarType.Regular)
        {
            ReadSparse(type, entry);
        }

        return entry;
    }

    private static TarType TypeOf(byte type, TarEntry entry)
    {
        switch (type)
        {
            case 0 or (byte)'0' or (byte)'7' or (byte)'S':
                // v7 has no directories of its own: a name that ends in a slash is one.
                return type == 0 && entry.Name.AsSpan().EndsWith("/"u8) ? TarType.Directory : TarType.Regular;
            case >= (byte)'1' and <= (byte)'6':
                return (TarType)type;
            case (byte)'D':
                // GNU's directory with a listing as content, of incremental archives.
                return TarType.Directory;
            default:
                throw Corrupt($"'{entry.DisplayName}' is of the unknown type '{(char.IsControl((char)type) ? '?' : (char)type)}' ({type})");
        }
    }

    private byte[]? Record(string key) =>
        _extensions.Records.TryGetValue(key, out byte[]? value) || _globalRecords.TryGetValue(key, out value)
            // A record with no value takes back what the global header said.
            ? value.Length == 0 ? null : value
            : null;

    private byte[]? Path(string key)
    {
        byte[]? value = key == "path" ? Record("GNU.sparse.name") ?? Record(key) : Record(key);
        return value is not null && value.AsSpan().Contains((byte)0)
            ? throw Corrupt($"a name with a NUL inside: '{TarEntry.Display(value)}'")
            : value;
    }

    private uint Id(string key, ReadOnlySpan<byte> field, TarEntry entry)
    {
        long id = Record(key) is { } text ? Decimal(text, key) : ParseNumber(field, key);
        // 2^32-1 means "no change" to chown(2), so it is no id.
        return id is >= 0 and < uint.MaxValue
            ? (uint)id
            : throw Corrupt($"'{entry.DisplayName}' has the {key} {id} (0 to {uint.MaxValue - 1} are possible)");
    }

    private static uint Device(ReadOnlySpan<byte> field, TarEntry entry)
    {
        long number = ParseNumber(field, "device number");
        return number is >= 0 and <= uint.MaxValue
            ? (uint)number
            : throw Corrupt($"'{entry.DisplayName}' has the device number {number}");
    }

    private void ReadAttributes(TarEntry entry)
    {
        foreach ((string key, byte[] value) in _extensions.Records)
        {
            if (key.StartsWith(AttributePrefix, StringComparison.Ordinal))
            {
                (entry.Attributes ??= []).Add((key[AttributePrefix.Length..], value));
            }
        }
    }

    /// <summary>Records of the form <c>LENGTH KEY=VALUE\n</c>, the length counting itself.</summary>
    private static void ParsePax(ReadOnlySpan<byte> content, Dictionary<string, byte[]> records)
    {
        while (content.Length > 0)
        {
            // Writers may pad the header with NULs.
            if (content[0] == 0)
            {
                return;
            }

            if (!Utf8Parser.TryParse(content, out int length, out int digits) || length <= digits + 2 || length > content.Length
                || content[digits] != ' ' || content[length - 1] != '\n')
            {
                throw Corrupt("a PAX header is malformed");
            }

            ReadOnlySpan<byte> record = content[(digits + 1)..(length - 1)];
            int equals = record.IndexOf((byte)'=');
            if (equals <= 0)
            {
                throw Corrupt("a PAX header has a record without a key");
            }

            string key = Encoding.UTF8.GetString(record[..equals]);
            byte[] value = record[(equals + 1)..].ToArray();
            // The pieces of a version 0.0 sparse map repeat their keys, so they are gathered in order.
            if (key is "GNU.sparse.offset" or "GNU.sparse.numbytes")
            {
                records[SparsePairs] = records.TryGetValue(SparsePairs, out byte[]? pairs) ? [.. pairs, (byte)',', .. value] : value;
            }
            else
            {
                records[key] = value;
            }

            content = content[length..];
        }
    }

    /// <summary>Octal with optional leading blanks, or base 256 (two's complement) where the top bit is set.</summary>
    private static long ParseNumber(ReadOnlySpan<byte> field, string what)
    {
        if ((field[0] & 0x80) != 0)
        {
            return ParseBase256(field, what);
        }

        return TryParseOctal(field, out long value) ? value : throw Corrupt($"a header has an invalid {what}");
    }

    private static bool TryParseOctal(ReadOnlySpan<byte> field, out long value)
    {
        value = 0;
        field = field.Trim("\0 "u8);
        int end = field.IndexOfAny((byte)0, (byte)' ');
        if (end >= 0)
        {
            field = field[..end];
        }

        foreach (byte digit in field)
        {
            if (digit is < (byte)'0' or > (byte)'7')
            {
                return false;
            }

            value = (value << 3) | (uint)(digit - '0');
        }

        return true;
    }

    private static long ParseBase256(ReadOnlySpan<byte> field, string what)
    {
        // Bit 6 of the first byte is the sign.
        bool negative = (field[0] & 0x40) != 0;
        Int128 value = negative ? -1 : 0;
        for (int i = 0; i < field.Length; i++)
        {
            byte part = i == 0 ? (byte)(negative ? field[0] | 0x80 : field[0] & 0x7f) : field[i];
            value = (value << 8) | part;
        }

        return value >= long.MinValue && value <= long.MaxValue
            ? (long)value
            : throw Corrupt($"a header has a {what} beyond 64 bits");
    }

    private static long Decimal(ReadOnlySpan<byte> text, string what) =>
        long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out long value)
            ? value
            : throw Corrupt($"a PAX header has an invalid {what}: '{TarEntry.Display(text)}'");

    /// <summary>Seconds with an optional fraction, negative before 1970: -1.5 is half a second before second -1.</summary>
    private static (long Seconds, uint Nanoseconds) ParseTime(ReadOnlySpan<byte> text, TarEntry entry)
    {
        int dot = text.IndexOf((byte)'.');
        ReadOnlySpan<byte> whole = dot < 0 ? text : text[..dot];
        ReadOnlySpan<byte> fraction = dot < 0 ? default : text[(dot + 1)..];
        bool negative = whole.StartsWith("-"u8);
        long seconds = whole.IsEmpty || whole.SequenceEqual("-"u8) ? 0 : Decimal(whole, "mtime");
        uint nanoseconds = 0;
        for (int i = 0; i < 9; i++)
        {
            int digit = i < fraction.Length ? fraction[i] - '0' : 0;
            if (digit is < 0 or > 9)
            {
                throw Corrupt($"'{entry.DisplayName}' has an invalid mtime: '{TarEntry.Display(text)}'");
            }

            nanoseconds = (nanoseconds * 10) + (uint)digit;
        }

        return negative && nanoseconds > 0 ? (seconds - 1, 1_000_000_000 - nanoseconds) : (seconds, nanoseconds);
    }

    private static byte[] Text(ReadOnlySpan<byte> field)
    {
        int nul = field.IndexOf((byte)0);
        return (nul < 0 ? field : field[..nul]).ToArray();
    }
}
