using Hull.Oci;

namespace Hull.Images.Registry;

/// <summary>A repository that was found.</summary>
/// <param name="Name">As <c>pull</c> takes it.</param>
/// <param name="StarCount">Docker Hub's; 0 of other registries.</param>
public sealed record FoundRepository(string Name, string Description, long StarCount, bool IsOfficial, bool IsAutomated);

/// <summary>Finds repositories: with Docker Hub's search, or in the catalog of a registry, which has names alone. Thread-safe.</summary>
public sealed class RegistrySearch(RegistrySettings settings)
{
    /// <summary>Docker Hub's search is not at the host of its images.</summary>
    private const string HubHost = "index.docker.io";

    /// <summary>Test hooks: how to connect, the environment.</summary>
    internal ConnectStream? Connect { get; init; }

    internal Func<string, string?> EnvironmentVariable { get; init; } = Environment.GetEnvironmentVariable;

    /// <param name="term">Words for Docker Hub; with a registry before a slash, a part of a repository's name there:
    /// <c>localhost:5000/team</c>.</param>
    /// <param name="limit">How many are wanted at the most.</param>
    /// <exception cref="RegistryException">Refused, unreachable, or no list of repositories.</exception>
    public async Task<IReadOnlyList<FoundRepository>> FindAsync(string term, int limit, CancellationToken cancel = default)
    {
        using RegistryTransport transport = new(settings, Connect, EnvironmentVariable);
        CredentialStore credentials = new(settings.DockerConfigDirectory);
        int slash = term.IndexOf('/', StringComparison.Ordinal);
        string host = slash < 0 ? "" : term[..slash];
        bool isRegistry = ImageReference.TryParse($"{host}/name", out ImageReference? reference) && reference.Domain == host;
        try
        {
            return isRegistry
                ? await InCatalogAsync(transport, credentials, host, term[(slash + 1)..], limit, cancel).ConfigureAwait(false)
                : await InHubAsync(transport, credentials, term, limit, cancel).ConfigureAwait(false);
        }
        catch (RegistryException e)
        {
            throw e.With($"search {term}: {e.Message.TrimStart(':', ' ')}");
        }
    }

    private async Task<IReadOnlyList<FoundRepository>> InHubAsync(
        RegistryTransport transport, CredentialStore credentials, string term, int limit, CancellationToken cancel)
    {
        RegistryEndpoint endpoint = new(new Uri($"https://{HubHost}/"), ImageReference.DefaultDomain, IsMirror: false);
        using RegistrySession session = new(transport, settings, credentials, endpoint, RetryPolicy.Of(settings), [TokenScope.Catalog]);
        Uri url = new(endpoint.Base, $"v1/search?q={Uri.EscapeDataString(term)}&n={limit}");
        using HttpResponseMessage response = await session.SendAsync(() => new HttpRequestMessage(HttpMethod.Get, url), cancel).ConfigureAwait(false);
        SearchBody body = await RegistryPages.ReadAsync(session, response, RegistryJson.Default.SearchBody, cancel).ConfigureAwait(false);
        return [.. (body.Results ?? []).OfType<SearchEntry>().Where(entry => entry.Name is not null).Take(limit).Select(entry => new FoundRepository(
            RegistryFailure.Printable(entry.Name!), RegistryFailure.Printable(entry.Description ?? ""), entry.StarCount, entry.IsOfficial, entry.IsAutomated))];
    }

    private async Task<IReadOnlyList<FoundRepository>> InCatalogAsync(
        RegistryTransport transport, CredentialStore credentials, string domain, string part, int limit, CancellationToken cancel)
    {
        using RegistrySession session = await RegistrySession.ConnectAsync(
            transport, settings, credentials, domain, RetryPolicy.Of(settings), [TokenScope.Catalog], cancel).ConfigureAwait(false);
        List<FoundRepository> found = [];
        await foreach (CatalogBody page in RegistryPages.ReadAsync(session, "_catalog", RegistryJson.Default.CatalogBody, cancel).ConfigureAwait(false))
        {
            found.AddRange((page.Repositories ?? []).OfType<string>()
                .Where(name => name.Contains(part, StringComparison.OrdinalIgnoreCase))
                .Take(limit - found.Count)
                .Select(name => new FoundRepository($"{domain}/{RegistryFailure.Printable(name)}", "", 0, IsOfficial: false, IsAutomated: false)));
            if (found.Count == limit)
            {
                break;
            }
        }

        return found;
    }
}
