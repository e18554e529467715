using System.Text;

namespace Hull.Images.Tar;

/// <summary>Writes archives of plain files and directories with fixed metadata: equal content gives equal bytes. Sequential; does not own
/// the stream.</summary>
internal sealed class TarWriter(Stream output)
{
    private static readonly byte[] Zeros = new byte[1024];

    public void Directory(string name) => Header(name + "/", '5', 0x1ED, 0);

    public void File(string name, ReadOnlySpan<byte> content)
    {
        Header(name, '0', 0x1A4, content.Length);
        output.Write(content);
        Pad(content.Length);
    }

    /// <exception cref="ImageException">Corrupt: the stream is not as long as announced.</exception>
    public void File(string name, Stream content, long length)
    {
        Header(name, '0', 0x1A4, length);
        byte[] buffer = new byte[256 * 1024];
        long written = 0;
        for (int n = content.Read(buffer); n > 0; n = content.Read(buffer))
        {
            output.Write(buffer, 0, n);
            written += n;
        }

        if (written != length)
        {
            throw new ImageException(ImageError.Corrupt, $"{name}: {written} bytes in the store, {length} expected");
        }

        Pad(length);
    }

    /// <summary>Two blocks of zeros.</summary>
    public void Finish() => output.Write(Zeros);

    private void Header(string name, char type, uint mode, long size)
    {
        Span<byte> header = stackalloc byte[TarReader.BlockSize];
        header.Clear();
        Encoding.ASCII.GetBytes(name, header[..100]);
        Octal(header[100..108], mode);
        Octal(header[108..116], 0);
        Octal(header[116..124], 0);
        Octal(header[124..136], size);
        Octal(header[136..148], 0);
        header[156] = (byte)type;
        "ustar\000"u8.CopyTo(header[257..]);
        header[148..156].Fill((byte)' ');
        int sum = 0;
        foreach (byte value in header)
        {
            sum += value;
        }

        Octal(header[148..155], sum);
        output.Write(header);
    }

    /// <summary>Octal, or base 256 where the digits do not suffice (8 GiB and more).</summary>
    private static void Octal(Span<byte> field, long value)
    {
        if (value >> (3 * (field.Length - 1)) == 0)
        {
            for (int i = field.Length - 2; i >= 0; i--)
            {
                field[i] = (byte)('0' + (value & 7));
                value >>= 3;
            }

            field[^1] = 0;
            return;
        }

        for (int i = field.Length - 1; i >= 0; i--)
        {
            field[i] = (byte)value;
            value >>= 8;
        }

        field[0] |= 0x80;
    }

    private void Pad(long length) => output.Write(Zeros, 0, (int)(-length & (TarReader.BlockSize - 1)));
}
