using System.IO.Compression;
using System.Text;
using Hull.Kernel.Tests.Harness;

namespace Hull.Kernel.Tests;

/// <summary>Archives that are small and want everything: refused in words, in bounded memory, with nothing left (rows [I] of the corpus).</summary>
public sealed class ImageBombTests(HullStore store) : KernelTest(store)
{
    /// <summary>An ordinary load takes 60 to 80 MiB.</summary>
    private const int MostMemory = 150 << 10;

    [KernelFact(Needs.Root)]
    public void Import_TenGibibytesOfZeros_IsRefused_CVE_2017_14992()
    {
        string path = Path.Combine(Store.Scratch, "bomb.tar.gz");
        using (FileStream file = File.Create(path))
        {
            file.Write(Gzip(Header("zeros", 10L << 30)));
            byte[] zeros = Gzip(new byte[16 << 20]);
            for (int i = 0; i < 640; i++)
            {
                file.Write(zeros);
            }
        }

        AssertRefused("decompression bomb", "import", path, "bomb:1");
    }

    [KernelTheory(Needs.Root)]
    [InlineData("manifest.json")]
    [InlineData("index.json")]
    public void Load_DocumentOfAGibibyte_IsRefusedUnread_CVE_2017_11468_CVE_2023_25153(string document)
    {
        const long Size = 1L << 30;
        string layout = Directory.CreateDirectory(Path.Combine(Store.Scratch, $"layout-{document}")).FullName;
        File.WriteAllText($"{layout}/oci-layout", """{"imageLayoutVersion":"1.0.0"}""");
        using (FileStream holes = File.Create($"{layout}/{document}"))
        {
            holes.SetLength(Size);
        }

        string tar = Path.Combine(Store.Scratch, $"{document}.tar");
        Store.Shell($"tar -C {layout} -cf - oci-layout > {tar}").Ok();
        using (FileStream archive = File.OpenWrite(tar))
        {
            // Behind the one entry, where tar put its end.
            archive.Position = 1024;
            archive.Write(Header(document, Size));
            archive.SetLength(1536 + Size + 1024);
        }

        string expected = $"{document}: {Size} bytes";
        AssertRefused(expected, "load", "-i", tar);
        if (document == "index.json")
        {
            AssertRefused(expected, "load", "-i", layout);
        }
    }

    /// <summary>RFC 8878, 3.1.1.1.2: a window of 2 GiB, which a decoder would have to set aside.</summary>
    [KernelFact(Needs.Root)]
    public void Import_ZstdWindowOf2GiB_IsRefused_CVE_2017_11468()
    {
        string path = Path.Combine(Store.Scratch, "window.tar.zst");
        File.WriteAllBytes(path, [0x28, 0xb5, 0x2f, 0xfd, 0x00, 0xa8, 0x01, 0x00, 0x00, .. new byte[64]]);

        AssertRefused("corrupt zstd data: Frame requires too much memory for decoding", "import", path, "window:1");
    }

    private void AssertRefused(string words, params string[] arguments)
    {
        using HullProcess process = Store.Start(arguments);
        process.CloseInput();
        long most = 0;
        while (!process.HasExited)
        {
            most = Math.Max(most, Machine.PeakKilobytes(process.Pid));
            Thread.Sleep(5);
        }

        process.Finish().Fails(1, words);
        Assert.InRange(most, 0, MostMemory);
        Assert.Equal("", Store.Shell($"find {Store.DataRoot} -name 'new-*'; $HULL images -q").Ok());
    }

    private static byte[] Gzip(byte[] content)
    {
        using MemoryStream result = new();
        using (GZipStream gzip = new(result, CompressionLevel.SmallestSize))
        {
            gzip.Write(content);
        }

        return result.ToArray();
    }

    /// <summary>A header block of ustar; the size in base 256, for eleven octal digits end at 8 GiB.</summary>
    private static byte[] Header(string name, long size)
    {
        byte[] header = new byte[512];
        Encoding.ASCII.GetBytes(name).CopyTo(header, 0);
        "0000644\00000000\00000000\0"u8.CopyTo(header.AsSpan(100));
        header[124] = 0x80;
        System.Buffers.Binary.BinaryPrimitives.WriteInt64BigEndian(header.AsSpan(128), size);
        "00000000000\0"u8.CopyTo(header.AsSpan(136));
        header.AsSpan(148, 8).Fill((byte)' ');
        header[156] = (byte)'0';
        "ustar\000"u8.CopyTo(header.AsSpan(257));
        int sum = 0;
        foreach (byte value in header)
        {
            sum += value;
        }

        Encoding.ASCII.GetBytes(Convert.ToString(sum, 8).PadLeft(6, '0') + "\0").CopyTo(header, 148);
        return header;
    }
}
