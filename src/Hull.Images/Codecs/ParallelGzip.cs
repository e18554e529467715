using System.IO.Compression;

namespace Hull.Images.Codecs;

/// <summary>Compresses with all processors: the input in blocks of 1 MiB, each a gzip member of its own, written in their order
/// (RFC 1952 section 2.2: a file is a series of members). The same input gives the same bytes, on any number of processors.</summary>
internal static class ParallelGzip
{
    private const int BlockSize = 1 << 20;

    /// <summary>zlib's measure, 1 to 9, between time and size. A change of it changes the digests of what is pushed.</summary>
    private const int Level = 2;

    /// <param name="source">Not empty: nothing gives nothing, which is no gzip file.</param>
    /// <param name="taken">Shown each piece of the input, in order.</param>
    /// <param name="written">Called after each piece of the output.</param>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    public static void Compress(Stream source, Stream target, Action<ReadOnlyMemory<byte>> taken, Action written, CancellationToken cancel)
    {
        int atOnce = 2 * Environment.ProcessorCount;
        Queue<Task<MemoryStream>> blocks = new();
        while (true)
        {
            cancel.ThrowIfCancellationRequested();
            byte[] block = GC.AllocateUninitializedArray<byte>(BlockSize);
            int length = source.ReadAtLeast(block, BlockSize, throwOnEndOfStream: false);
            if (length > 0)
            {
                taken(block.AsMemory(0, length));
                blocks.Enqueue(Task.Run(() => Member(block.AsSpan(0, length)), cancel));
            }

            if (length < BlockSize)
            {
                break;
            }

            if (blocks.Count == atOnce)
            {
                WriteNext();
            }
        }

        while (blocks.Count > 0)
        {
            WriteNext();
        }

        void WriteNext()
        {
            using MemoryStream member = blocks.Dequeue().GetAwaiter().GetResult();
            target.Write(member.GetBuffer().AsSpan(0, (int)member.Length));
            written();
        }
    }

    private static MemoryStream Member(ReadOnlySpan<byte> block)
    {
        MemoryStream member = new(BlockSize / 2);
        using (GZipStream gzip = new(member, new ZLibCompressionOptions { CompressionLevel = Level }, leaveOpen: true))
        {
            gzip.Write(block);
        }

        return member;
    }
}
