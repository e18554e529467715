namespace Hull.Images.Registry;

/// <summary>Sends the beginning of a blob while the rest of it is still being made, piece by piece. One use; one makes the blob, one sends.</summary>
/// <param name="name">Of the blob in errors, where its own digest is not known yet.</param>
/// <param name="progress">Told how many bytes are sent.</param>
internal sealed class EarlyUpload(RegistryClient client, BlobWriter blob, Oci.Digest name, string what, Action<long> progress) : IDisposable
{
    /// <summary>Large enough that requests cost nothing beside it, and above what object stores take for a part (5 MiB).</summary>
    private const long LeastPiece = 16 << 20;

    private readonly SemaphoreSlim _changed = new(0);
    private long _length;
    private bool _isWhole;

    /// <summary>The blob has grown to so many bytes, which can be read.</summary>
    public void Grow(long length)
    {
        Volatile.Write(ref _length, length);
        _changed.Release();
    }

    /// <summary>The blob is whole, or will never be.</summary>
    public void End()
    {
        Volatile.Write(ref _isWhole, true);
        _changed.Release();
    }

    /// <summary>Sends until the blob is whole: the rest is for <see cref="BlobUpload"/>, which knows what to do about a registry that fails.</summary>
    /// <param name="open">An upload that has begun; null to begin one when there is a piece to send.</param>
    /// <returns>The upload as it stands; null where none has begun, or where it came to nothing and is to begin anew.</returns>
    public async Task<OpenUpload?> RunAsync(OpenUpload? open, CancellationToken cancel)
    {
        while (true)
        {
            await _changed.WaitAsync(cancel).ConfigureAwait(false);
            if (Volatile.Read(ref _isWhole))
            {
                return open;
            }

            long begin = open?.Received ?? 0;
            long there = Volatile.Read(ref _length);
            if (there - begin < Math.Max(LeastPiece, open?.MinimumChunk ?? 0))
            {
                continue;
            }

            try
            {
                open ??= await client.BeginUploadAsync(name, null, cancel).ConfigureAwait(false);
                long end = Math.Min(there, begin + Math.Max(Math.Min(client.UploadLimit.Bytes, there), open!.MinimumChunk));
                UploadSource source = new(name, end, blob.OpenRead);
                (Uri location, long received) = await client.ContinueUploadAsync(
                    open.Location, begin, end, () => new UploadContent(source, begin, end, progress), what, cancel).ConfigureAwait(false);
                open = open with { Location = location, Received = received };
            }
            catch (RegistryException)
            {
                // Too large, cut, refused: the upload of the whole blob meets it too, and waits, learns or tells.
                return null;
            }
        }
    }

    public void Dispose() => _changed.Dispose();
}
