using System.Text;

namespace Hull.Images.Tar;

/// <summary>Writes archives: equal entries give equal bytes. Sequential; does not own the stream.</summary>
internal sealed partial class TarWriter(Stream output)
{
    private static readonly byte[] Zeros = new byte[2 * TarReader.BlockSize];
    private readonly byte[] _header = new byte[TarReader.BlockSize];

    /// <summary>A directory of an archive's own: root's, 0755, without a time.</summary>
    public void Directory(string name) => Add(new TarEntry { Name = Encoding.UTF8.GetBytes(name + "/"), Type = TarType.Directory, Mode = 0x1ED });

    /// <summary>A file of an archive's own: root's, 0644, without a time.</summary>
    public void File(string name, ReadOnlySpan<byte> content)
    {
        Add(Plain(name, content.Length));
        Content(content);
        EndContent(content.Length);
    }

    /// <summary>As <see cref="File(string, ReadOnlySpan{byte})"/>, from a stream.</summary>
    /// <exception cref="ImageException">Corrupt: the stream is not as long as announced.</exception>
    public void File(string name, Stream content, long length)
    {
        Add(Plain(name, length));
        byte[] buffer = new byte[256 * 1024];
        long written = 0;
        for (int n = content.Read(buffer); n > 0; n = content.Read(buffer))
        {
            Content(buffer.AsSpan(0, n));
            written += n;
        }

        if (written != length)
        {
            throw new ImageException(ImageError.Corrupt, $"{name}: {written} bytes in the store, {length} expected");
        }

        EndContent(length);
    }

    /// <summary>Some of the content of the entry added last.</summary>
    public void Content(ReadOnlySpan<byte> content) => output.Write(content);

    /// <summary>Fills the last block of an entry's content.</summary>
    /// <param name="length">Bytes of content that were written.</param>
    public void EndContent(long length) => output.Write(Zeros, 0, (int)(-length & (TarReader.BlockSize - 1)));

    /// <summary>Two blocks of zeros.</summary>
    public void Finish() => output.Write(Zeros);

    private static TarEntry Plain(string name, long length) =>
        new() { Name = Encoding.UTF8.GetBytes(name), Type = TarType.Regular, Mode = 0x1A4, StoredSize = length, Size = length };
}
