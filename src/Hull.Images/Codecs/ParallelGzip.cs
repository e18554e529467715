using System.Collections.Concurrent;
using System.IO.Compression;

namespace Hull.Images.Codecs;

/// <summary>Compresses with all processors: the input in blocks of 1 MiB, each a gzip member of its own, written in their order
/// (RFC 1952 section 2.2: a file is a series of members). The same input gives the same bytes, on any number of processors.</summary>
internal static class ParallelGzip
{
    private const int BlockSize = 1 << 20;

    /// <summary>Of a block that cannot be made smaller: nine bits a byte are the worst of deflate's codes, and the header is short.</summary>
    private const int LongestMember = BlockSize + (BlockSize / 8) + 4096;

    /// <summary>zlib's measure, 1 to 9, between time and size. A change of it changes the digests of what is pushed.</summary>
    private const int Level = 2;

    /// <param name="source">Not empty: nothing gives nothing, which is no gzip file.</param>
    /// <param name="taken">Shown each piece of the input, in order.</param>
    /// <param name="written">Called after each piece of the output.</param>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    public static void Compress(Stream source, Stream target, Action<ReadOnlyMemory<byte>> taken, Action written, CancellationToken cancel)
    {
        // Used in turn: a garbage collector that had each of them to find would take part of the time away again.
        Slot[] slots = new Slot[2 * Environment.ProcessorCount];
        Task[] work = new Task[slots.Length];
        int first = 0;
        int next = 0;
        using Crew crew = new();
        for (int length = BlockSize; length == BlockSize;)
        {
            cancel.ThrowIfCancellationRequested();
            if (next - first == slots.Length)
            {
                WriteFirst();
            }

            Slot slot = slots[next % slots.Length] ??= new Slot();
            length = source.ReadAtLeast(slot.Block, BlockSize, throwOnEndOfStream: false);
            if (length > 0)
            {
                taken(slot.Block.AsMemory(0, length));
                int filled = length;
                crew.Add(work[next++ % work.Length] = new Task(() => slot.Compress(filled)));
            }
        }

        while (first < next)
        {
            WriteFirst();
        }

        void WriteFirst()
        {
            int at = first++ % slots.Length;
            work[at].GetAwaiter().GetResult();
            target.Write(slots[at].Member);
            written();
        }
    }

    /// <summary>Memory for one block and its member.</summary>
    private sealed class Slot
    {
        private readonly byte[] _member = GC.AllocateUninitializedArray<byte>(LongestMember);
        private int _length;

        public byte[] Block { get; } = GC.AllocateUninitializedArray<byte>(BlockSize);

        /// <summary>The last block, compressed; valid until the next one is.</summary>
        public ReadOnlySpan<byte> Member => _member.AsSpan(0, _length);

        /// <summary>Compresses the first bytes of the block.</summary>
        public void Compress(int length)
        {
            using MemoryStream member = new(_member);
            using (GZipStream gzip = new(member, new ZLibCompressionOptions { CompressionLevel = Level }, leaveOpen: true))
            {
                gzip.Write(Block.AsSpan(0, length));
            }

            _length = (int)member.Position;
        }
    }

    /// <summary>A thread for each processor. Not the pool's: what is sent meanwhile would wait behind blocks at every write.</summary>
    private sealed class Crew : IDisposable
    {
        private readonly BlockingCollection<Task> _work = [];
        private readonly Thread[] _threads = new Thread[Environment.ProcessorCount];

        public Crew()
        {
            for (int i = 0; i < _threads.Length; i++)
            {
                _threads[i] = new Thread(Run) { IsBackground = true, Name = "gzip" };
                _threads[i].Start();
            }
        }

        public void Add(Task task) => _work.Add(task);

        /// <summary>Ends the threads, after what was added.</summary>
        public void Dispose()
        {
            _work.CompleteAdding();
            foreach (Thread thread in _threads)
            {
                thread.Join();
            }

            _work.Dispose();
        }

        private void Run()
        {
            foreach (Task task in _work.GetConsumingEnumerable())
            {
                // A failure is kept in the task, for whoever waits for it.
                task.RunSynchronously(TaskScheduler.Default);
            }
        }
    }
}
