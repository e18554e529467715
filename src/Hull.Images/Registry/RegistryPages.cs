using System.Net;
using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace Hull.Images.Registry;

/// <summary>Lists of a registry, which come in pages: each answer names the next one in a Link header (RFC 8288).</summary>
internal static class RegistryPages
{
    private const int MaximumBody = 16 << 20;
    private const int MaximumPages = 1000;
    private const int PageSize = 1000;

    /// <summary>The pages as they come.</summary>
    /// <param name="path">Below <c>/v2/</c>.</param>
    /// <exception cref="RegistryException">Refused, unreachable, or not of the expected form.</exception>
    public static async IAsyncEnumerable<T> ReadAsync<T>(
        RegistrySession session, string path, JsonTypeInfo<T> type, [EnumeratorCancellation] CancellationToken cancel)
        where T : class
    {
        Uri? next = session.Endpoint.Url($"{path}?n={PageSize}");
        for (int pages = 0; next is not null && pages < MaximumPages; pages++)
        {
            Uri url = next;
            using HttpResponseMessage response = await session.SendAsync(() => new HttpRequestMessage(HttpMethod.Get, url), cancel).ConfigureAwait(false);
            yield return await ReadAsync(session, response, type, cancel).ConfigureAwait(false);
            next = Next(response, url);
        }
    }

    /// <summary>One answer as a document.</summary>
    /// <exception cref="RegistryException">Refused, broken off, or not of the expected form.</exception>
    public static async Task<T> ReadAsync<T>(RegistrySession session, HttpResponseMessage response, JsonTypeInfo<T> type, CancellationToken cancel)
        where T : class
    {
        if (response.StatusCode != HttpStatusCode.OK)
        {
            throw await session.RefusalAsync(response, "", cancel).ConfigureAwait(false);
        }

        byte[] body = await RegistryBody.ReadAsync(response, MaximumBody, session.SilenceLimit, cancel).ConfigureAwait(false);
        try
        {
            return JsonSerializer.Deserialize(body, type) ?? throw new JsonException("null");
        }
        catch (JsonException e)
        {
            throw RegistryFailure.Of(
                RegistryError.Corrupt, response.RequestMessage!, response,
                $"{response.RequestMessage!.RequestUri!.Authority} sent a list that is not of the expected form", e);
        }
    }

    /// <summary><c>&lt;URL&gt;; rel="next"</c>, relative or on the same host: a list is not continued elsewhere.</summary>
    private static Uri? Next(HttpResponseMessage response, Uri url)
    {
        string? link = response.Headers.TryGetValues("Link", out IEnumerable<string>? values)
            ? values.FirstOrDefault(value => value.Contains("rel=\"next\"", StringComparison.Ordinal))
            : null;
        int end = link?.IndexOf('>', StringComparison.Ordinal) ?? -1;
        return end > 1 && link![0] == '<' && Uri.TryCreate(url, link[1..end], out Uri? next) && RegistryTransport.IsSameOrigin(url, next) ? next : null;
    }
}
