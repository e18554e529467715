using System.Security.Cryptography;
using Hull.Images.Codecs;
using Hull.Images.Tar;
using Hull.Oci;

namespace Hull.Images.Unpacking;

/// <summary>
/// Decompresses a layer on a thread of its own while the reader unpacks what came before, and hashes both sides.
/// </summary>
/// <remarks>
/// <code>
/// source ── tee ─► blob, sha256 ── decompress ─► chunk │ chunk ─► sha256 (diffID) ─► tar reader
///           (pipe thread)                              │ (caller's thread)
/// </code>
/// Four chunks of 512 KiB are all the memory there is between the two, whatever the layer's size. An error of
/// the pipe thread surfaces in the reader; a reader that gives up disposes the pipe, which ends the thread
/// (CVE-2021-20291 was a reader that did not).
/// </remarks>
internal sealed class LayerPipe : TarInput, IDisposable
{
    private const int ChunkSize = 512 * 1024;
    private const int ChunkCount = 4;
    private readonly SourceTap _source;
    private readonly ImageStoreOptions _limits;
    private readonly CancellationToken _cancel;
    private readonly Digest? _known;
    private readonly IncrementalHash? _hash;
    private readonly Queue<byte[]> _free = new();
    private readonly Queue<(byte[] Buffer, int Length)> _full = new();
    private readonly object _gate = new();
    private readonly Thread _thread;
    private Exception? _error;
    private bool _ended;
    private bool _abandoned;
    private byte[]? _current;
    private int _start;
    private int _end;

    /// <summary>Begins reading.</summary>
    /// <param name="source">The stored form of the layer; the caller keeps owning it.</param>
    /// <param name="keep">Where the stored form goes too; null to keep nothing.</param>
    /// <param name="hashStored">Hash the stored form although nothing keeps it.</param>
    /// <param name="known">The digest of the stored form where it was verified before.</param>
    /// <param name="hashTar">False for an archive whose own digest nobody needs.</param>
    public LayerPipe(
        Stream source, BlobWriter? keep, bool hashStored, ImageStoreOptions limits, CancellationToken cancel,
        Digest? known = null, bool hashTar = true)
    {
        _limits = limits;
        _cancel = cancel;
        _known = known;
        _source = new SourceTap(source, keep, hashStored);
        Compression = Decompressor.Sniff(_source.Peek(Decompressor.MagicLength));
        // An uncompressed layer is its own tar: one hash serves both digests.
        bool same = Compression == Compression.None && (_source.Hashes || known is not null);
        _hash = same || !hashTar ? null : IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        for (int i = 0; i < ChunkCount; i++)
        {
            _free.Enqueue(GC.AllocateUninitializedArray<byte>(ChunkSize));
        }

        _thread = new Thread(Run, maxStackSize: 1024 * 1024) { IsBackground = true, Name = "layer pipe" };
        _thread.Start();
    }

    public Compression Compression { get; }

    /// <summary>Bytes of the uncompressed tar taken so far.</summary>
    public long TarBytes { get; private set; }

    /// <summary>Reads to the end, so that the digests cover everything and the source is drained, then tells those that were asked for.</summary>
    public (Digest? Stored, Digest DiffId) Finish()
    {
        while (!Take(int.MaxValue).IsEmpty)
        {
        }

        Digest? stored = _known ?? _source.Finish();
        return (stored, _hash is null ? stored ?? default : Digest.FromHash(_hash.GetHashAndReset()));
    }

    public override ReadOnlySpan<byte> Take(int max)
    {
        if (_start == _end && !NextChunk())
        {
            return default;
        }

        int n = Math.Min(max, _end - _start);
        ReadOnlySpan<byte> slice = _current.AsSpan(_start, n);
        _start += n;
        return slice;
    }

    public void Dispose()
    {
        lock (_gate)
        {
            _abandoned = true;
            Monitor.PulseAll(_gate);
        }

        _thread.Join();
        _hash?.Dispose();
        _source.Dispose();
    }

    private bool NextChunk()
    {
        lock (_gate)
        {
            if (_current is not null)
            {
                _free.Enqueue(_current);
                _current = null;
                _start = _end = 0;
                Monitor.PulseAll(_gate);
            }

            while (_full.Count == 0 && !_ended)
            {
                Monitor.Wait(_gate);
            }

            if (_full.Count == 0)
            {
                return _error is null ? false : throw Translate(_error);
            }

            (_current, _end) = _full.Dequeue();
        }

        _hash?.AppendData(_current, 0, _end);
        TarBytes += _end;
        return true;
    }

    private void Run()
    {
        try
        {
            Pump();
        }
#pragma warning disable CA1031 // Every failure must reach the reader, which throws it on its own thread.
        catch (Exception e)
#pragma warning restore CA1031
        {
            _error = e;
        }

        lock (_gate)
        {
            _ended = true;
            Monitor.PulseAll(_gate);
        }
    }

    private void Pump()
    {
        Stream decoded = Decompressor.Open(Compression, _source);
        long total = 0;
        try
        {
            while (TakeFree() is { } chunk)
            {
                int n = decoded.ReadAtLeast(chunk, chunk.Length, throwOnEndOfStream: false);
                total += n;
                CheckExpansion(total);
                Post(chunk, n);
                if (n < chunk.Length)
                {
                    // What follows the compressed data belongs to the blob and its digest all the same.
                    _source.Drain();
                    return;
                }
            }
        }
        finally
        {
            if (!ReferenceEquals(decoded, _source))
            {
                decoded.Dispose();
            }
        }
    }

    private void CheckExpansion(long total)
    {
        _cancel.ThrowIfCancellationRequested();
        if (total > _limits.MaxLayerBytes)
        {
            throw new ImageException(ImageError.Corrupt, $"the layer is larger than {_limits.MaxLayerBytes} bytes uncompressed, which is the limit");
        }

        if (total > _limits.ExpansionFloorBytes && total / _limits.MaxExpansion > _source.Taken)
        {
            throw new ImageException(
                ImageError.Corrupt,
                $"decompression bomb: {_source.Taken} bytes became more than {total}; more than {_limits.MaxExpansion} times is refused");
        }
    }

    private byte[]? TakeFree()
    {
        lock (_gate)
        {
            while (_free.Count == 0 && !_abandoned)
            {
                Monitor.Wait(_gate);
            }

            return _abandoned ? null : _free.Dequeue();
        }
    }

    private void Post(byte[] chunk, int length)
    {
        if (length == 0)
        {
            return;
        }

        lock (_gate)
        {
            _full.Enqueue((chunk, length));
            Monitor.PulseAll(_gate);
        }
    }

    private static Exception Translate(Exception e) => e switch
    {
        InvalidDataException => new ImageException(ImageError.Corrupt, e.Message, e),
        ImageException image => new ImageException(image.Kind, image.Message, image),
        OperationCanceledException => new OperationCanceledException(e.Message, e),
        // The original, so that a registry's or the kernel's error keeps its type for the front end.
        _ => e,
    };
}
