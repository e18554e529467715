namespace Hull.Images.Registry;

/// <summary>How many bytes of a blob one request may carry, learnt from refusals (413): the registry, or a proxy before it, has a limit that
/// it tells nobody. One a connection to a registry, so that each layer does not learn it again. Thread-safe.</summary>
internal sealed class UploadLimit
{
    /// <summary>What is tried, below the limits that people set; 1 MiB is nginx's as it is installed.</summary>
    private static readonly long[] Steps = [64 << 20, 16 << 20, 4 << 20, 1 << 20, 256 << 10];

    private long _bytes = long.MaxValue;

    /// <summary>The most bytes for one request; <see cref="long.MaxValue"/> while nothing was refused.</summary>
    public long Bytes => Interlocked.Read(ref _bytes);

    /// <summary>Takes note that so many bytes were too many.</summary>
    /// <param name="minimum">What the registry wants a piece to have at least (OCI-Chunk-Min-Length); 0 where it does not say.</param>
    /// <returns>Whether there is a smaller size to try.</returns>
    public bool Refuse(long bytes, long minimum)
    {
        long next = Steps.FirstOrDefault(step => step < bytes);
        if (next < minimum)
        {
            next = minimum < bytes ? minimum : 0;
        }

        if (next == 0)
        {
            return false;
        }

        // Another layer may have learnt a lower one meanwhile.
        for (long known = Bytes; next < known;)
        {
            long seen = Interlocked.CompareExchange(ref _bytes, next, known);
            if (seen == known)
            {
                break;
            }

            known = seen;
        }

        return true;
    }
}
