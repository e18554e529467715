namespace Hull.Images.Registry;

/// <summary>Reads short bodies whole, bounded in length and in silence.</summary>
internal static class RegistryBody
{
    /// <exception cref="RegistryException">Longer than <paramref name="limit"/> bytes, or cut off.</exception>
    public static async Task<byte[]> ReadAsync(HttpResponseMessage response, int limit, TimeSpan silence, CancellationToken cancel)
    {
        HttpRequestMessage request = response.RequestMessage!;
        if (response.Content.Headers.ContentLength > limit)
        {
            throw TooLong(request, response, limit);
        }

        using CancellationTokenSource limited = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        using MemoryStream body = new();
        byte[] buffer = new byte[16 << 10];
        try
        {
            using Stream content = await response.Content.ReadAsStreamAsync(cancel).ConfigureAwait(false);
            while (true)
            {
                limited.CancelAfter(silence);
                int n = await content.ReadAsync(buffer, limited.Token).ConfigureAwait(false);
                if (n == 0)
                {
                    return body.ToArray();
                }

                if (body.Length + n > limit)
                {
                    throw TooLong(request, response, limit);
                }

                body.Write(buffer, 0, n);
            }
        }
        catch (Exception e) when (
            e is IOException or HttpRequestException || (e is OperationCanceledException && !cancel.IsCancellationRequested))
        {
            Uri url = request.RequestUri!;
            string what = e is OperationCanceledException ? $"sent nothing {RegistryFailure.Silence(silence)}" : "broke off";
            throw RegistryFailure.Of(RegistryError.Unreachable, request, response, $"{url.Host}:{url.Port}: {what}, in the middle of its answer", e);
        }
    }

    private static RegistryException TooLong(HttpRequestMessage request, HttpResponseMessage response, int limit) =>
        RegistryFailure.Of(
            RegistryError.Corrupt,
            request,
            response,
            $"{request.RequestUri!.Authority} sent more than the {limit} bytes allowed for this document");
}
