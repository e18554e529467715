using System.Text;

namespace Hull.Images.Tests;

#pragma warning disable CA1001 // A MemoryStream holds nothing to dispose.
/// <summary>Writes tar archives byte by byte, well-formed or not.</summary>
internal sealed class TarBuilder
{
    private readonly MemoryStream _out = new();

    public TarBuilder Dir(string name, uint mode = 0x1ED, long uid = 0, long gid = 0, string? mtime = null) =>
        Entry(name, '5', mode: mode, uid: uid, gid: gid, pax: Time(mtime));

    public TarBuilder File(string name, string content = "", uint mode = 0x1A4, long uid = 0, long gid = 0, string? mtime = null) =>
        Entry(name, '0', Encoding.UTF8.GetBytes(content), mode: mode, uid: uid, gid: gid, pax: Time(mtime));

    public TarBuilder Symlink(string name, string target) => Entry(name, '2', link: Encoding.UTF8.GetBytes(target), mode: 0x1FF);

    public TarBuilder HardLink(string name, string target) => Entry(name, '1', link: Encoding.UTF8.GetBytes(target));

    public TarBuilder Whiteout(string name) => File(name);

    public TarBuilder Entry(
        string name, char type, byte[]? content = null, byte[]? link = null, uint mode = 0x1A4, long uid = 0, long gid = 0,
        uint major = 0, uint minor = 0, long? size = null, Dictionary<string, string>? pax = null) =>
        Raw(Encoding.UTF8.GetBytes(name), type, content ?? [], link ?? [], mode, uid, gid, major, minor, size, pax);

    /// <summary>An entry whose name is given as bytes; names over 100 bytes go into a PAX header.</summary>
    public TarBuilder Raw(
        byte[] name, char type, byte[] content, byte[] link, uint mode = 0x1A4, long uid = 0, long gid = 0,
        uint major = 0, uint minor = 0, long? size = null, Dictionary<string, string>? pax = null)
    {
        Dictionary<string, byte[]> records = [];
        foreach ((string key, string value) in pax ?? [])
        {
            records[key] = Encoding.Latin1.GetBytes(value);
        }

        if (name.Length > 100)
        {
            records["path"] = name;
        }

        if (link.Length > 100)
        {
            records["linkpath"] = link;
        }

        if (records.Count > 0)
        {
            byte[] body = [.. records.SelectMany(pair => PaxRecord(pair.Key, pair.Value))];
            Header("pax"u8.ToArray(), 'x', [], 0x1A4, 0, 0, 0, 0, body.Length);
            Body(body);
        }

        Header(name, type, link, mode, uid, gid, major, minor, size ?? content.Length);
        return Body(content);
    }

    /// <summary>A header block with its checksum, exactly as given.</summary>
    public TarBuilder Header(
        byte[] name, char type, byte[] link, uint mode, long uid, long gid, uint major, uint minor, long size, Action<byte[]>? patch = null)
    {
        byte[] header = new byte[512];
        name.AsSpan(0, Math.Min(100, name.Length)).CopyTo(header);
        Octal(header, 100, 8, mode);
        Octal(header, 108, 8, uid);
        Octal(header, 116, 8, gid);
        Octal(header, 124, 12, size);
        Octal(header, 136, 12, 1_000_000_000);
        header[156] = (byte)type;
        link.AsSpan(0, Math.Min(100, link.Length)).CopyTo(header.AsSpan(157));
        "ustar\000"u8.CopyTo(header.AsSpan(257));
        Octal(header, 329, 8, major);
        Octal(header, 337, 8, minor);
        patch?.Invoke(header);
        Sum(header);
        _out.Write(header);
        return this;
    }

    public TarBuilder Body(byte[] content)
    {
        _out.Write(content);
        _out.Write(new byte[-content.Length & 511]);
        return this;
    }

    public TarBuilder Bytes(byte[] content)
    {
        _out.Write(content);
        return this;
    }

    /// <summary>The archive with its two blocks of zeros.</summary>
    public byte[] Build() => [.. _out.ToArray(), .. new byte[1024]];

    /// <summary>The archive so far, without an end.</summary>
    public byte[] BuildOpen() => _out.ToArray();

    public static byte[] PaxRecord(string key, byte[] value)
    {
        byte[] rest = [.. Encoding.UTF8.GetBytes($" {key}="), .. value, (byte)'\n'];
        int length = rest.Length + 1;
        while ($"{length}".Length + rest.Length != length)
        {
            length++;
        }

        return [.. Encoding.ASCII.GetBytes($"{length}"), .. rest];
    }

    private static Dictionary<string, string>? Time(string? mtime) => mtime is null ? null : new() { ["mtime"] = mtime };

    private static void Octal(byte[] header, int at, int width, long value)
    {
        string octal = value >= 0 ? Convert.ToString(value, 8) : "";
        if (value >= 0 && octal.Length < width)
        {
            Encoding.ASCII.GetBytes(octal.PadLeft(width - 1, '0')).CopyTo(header, at);
            return;
        }

        // Base 256.
        for (int i = width - 1; i >= 0; i--)
        {
            header[at + i] = (byte)value;
            value >>= 8;
        }

        header[at] |= 0x80;
    }

    private static void Sum(byte[] header)
    {
        Encoding.ASCII.GetBytes("        ").CopyTo(header, 148);
        Encoding.ASCII.GetBytes(Convert.ToString(header.Sum(b => b), 8).PadLeft(6, '0') + "\0 ").CopyTo(header, 148);
    }
}
