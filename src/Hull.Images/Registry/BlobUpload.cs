namespace Hull.Images.Registry;

/// <summary>One blob on its way into a repository: in one request, or in pieces where that is refused as too large. A connection that breaks is
/// taken up again where the registry says it ended, or from the start where the registry has dropped the upload. One use.</summary>
/// <remarks>
/// <code>
/// POST ─► Location ─► PUT ?digest= with all bytes ─► 201
///                      ├─ breaks ─► GET Location ─► 204 Range: 0-N ─► PATCH the rest ─► PUT ?digest= ─► 201
///                      │                         └► gone ─► HEAD blob ─► POST again
///                      ├─ 413 ─► the same, but PATCH piece after piece, each as large as is let through
///                      └─ 4xx to the end of what went in pieces ─► once: POST again, all bytes in one PUT
/// </code>
/// OCI distribution-spec, "Pushing blobs".
/// </remarks>
/// <param name="what">Names the blob in errors: <c>layer 0123456789ab</c>.</param>
/// <param name="progress">Told how many bytes are sent.</param>
/// <param name="retrying">Told the wait before each further attempt.</param>
internal sealed class BlobUpload(
    RegistryClient client, UploadSource source, string what, Action<long> progress, Action<TimeSpan> retrying)
{
    private const int TooLarge = 413;

    /// <summary>A server that takes a few bytes a connection is not followed for ever.</summary>
    private const int MaximumRestarts = 100;

    private Uri? _location;
    private long _minimumChunk;
    private long _received;
    private long _asked;
    private bool _isWhole;

    /// <param name="open">An upload that has begun; null to begin one.</param>
    /// <exception cref="RegistryException">Refused, or broken too often.</exception>
    public async Task RunAsync(OpenUpload? open, CancellationToken cancel)
    {
        (_location, _minimumChunk, _received) = (open?.Location, open?.MinimumChunk ?? 0, open?.Received ?? 0);
        int failures = 0;
        long reached = 0;
        for (int restarts = 0; ; restarts++)
        {
            try
            {
                if (restarts > 0 && _location is not null)
                {
                    if (await FindPlaceAsync(cancel).ConfigureAwait(false))
                    {
                        return;
                    }

                    failures = _received > reached ? 0 : failures;
                    reached = Math.Max(reached, _received);
                }

                await SendAsync(cancel).ConfigureAwait(false);
                return;
            }
            catch (RegistryException e) when (_location is not null && e.Status == TooLarge)
            {
                // The next round sends less at once.
                if (!client.UploadLimit.Refuse(_asked, _minimumChunk))
                {
                    throw;
                }
            }
            catch (RegistryException e) when (_received > 0 && MayLikeItWhole(e))
            {
                (_location, _received, _isWhole) = (null, 0, true);
            }
            catch (RegistryException e) when (_location is not null && IsPassing(e) && restarts < MaximumRestarts)
            {
                TimeSpan wait = e.RetryAfter ?? client.Retry.After(++failures);
                if (failures >= client.Retry.Attempts || wait > client.Retry.LongestWait)
                {
                    // A connection's failure does not know what it carried.
                    throw e.Kind == RegistryError.Unreachable ? e.With($"{what}: {e.Message}") : e;
                }

                retrying(wait);
                await Task.Delay(wait, cancel).ConfigureAwait(false);
            }
        }
    }

    private async Task SendAsync(CancellationToken cancel)
    {
        if (_location is null && await client.BeginUploadAsync(source.Digest, null, cancel).ConfigureAwait(false) is { } open)
        {
            (_location, _minimumChunk) = (open.Location, open.MinimumChunk);
        }

        if (_received == 0 && source.Size <= client.UploadLimit.Bytes)
        {
            _asked = source.Size;
            await client.FinishUploadAsync(_location!, source.Digest, () => Content(0, source.Size), what, cancel).ConfigureAwait(false);
            return;
        }

        while (_received < source.Size)
        {
            long begin = _received;
            _asked = Math.Min(source.Size - begin, Math.Max(client.UploadLimit.Bytes, _minimumChunk));
            (_location, _received) = await client.ContinueUploadAsync(
                _location!, begin, begin + _asked, () => Content(begin, begin + _asked), what, cancel).ConfigureAwait(false);
        }

        _asked = 0;
        await client.FinishUploadAsync(_location!, source.Digest, null, what, cancel).ConfigureAwait(false);
    }

    private UploadContent Content(long offset, long end) => new(source, offset, end, progress);

    /// <summary>Asks where a broken upload is to go on.</summary>
    /// <returns>Whether nothing is left to do: the last answer was lost, and the blob is there.</returns>
    private async Task<bool> FindPlaceAsync(CancellationToken cancel)
    {
        (Uri Location, long Received)? status = await client.UploadStatusAsync(_location!, cancel).ConfigureAwait(false);

        // One byte and none look alike in the answer ("0-0"), so neither is built upon.
        if (status is { Received: > 1 } known && known.Received <= source.Size)
        {
            (_location, _received) = known;
            return false;
        }

        (_location, _received) = (null, 0);
        return await client.HasBlobAsync(source.Digest, cancel).ConfigureAwait(false);
    }

    /// <summary>Whether a registry may refuse the pieces rather than the blob: some take none, or put them together wrongly.</summary>
    private bool MayLikeItWhole(RegistryException e) =>
        !_isWhole && source.Size <= client.UploadLimit.Bytes && e.Status is >= 400 and < 500 and not 401 and not 403 && !IsPassing(e);

    /// <summary>Whether another attempt may do better: the connection, an overloaded server, an upload that is gone (404) or
    /// stands elsewhere than we think (416).</summary>
    private static bool IsPassing(RegistryException e) =>
        e.Kind == RegistryError.Unreachable || e.Status is 404 or 408 or 416 or 429 or >= 500;
}
