using System.Net;
using Hull.Oci;

namespace Hull.Images.Registry;

/// <summary>Logs in to registries and out of them: <c>hull login</c>, <c>hull logout</c>. Thread-safe.</summary>
public sealed class RegistryLogin(RegistrySettings settings)
{
    private const string LegacyHub = "index.docker.io";

    /// <summary>Test hooks: how to connect, the environment, who answers for credential helpers.</summary>
    internal ConnectStream? Connect { get; init; }

    internal Func<string, string?> EnvironmentVariable { get; init; } = Environment.GetEnvironmentVariable;

    internal ICredentialHelper Helper { get; init; } = new CredentialHelper();

    /// <summary>The registry that a user names: a host with an optional port, or an old URL; null for Docker Hub.</summary>
    /// <returns>Its domain, as image names have it.</returns>
    /// <exception cref="RegistryException">Configuration: no name of a registry.</exception>
    public static string DomainOf(string? server)
    {
        string host = CredentialStore.HostOfKey(server ?? ImageReference.DefaultDomain);
        if (host is LegacyHub or "registry-1.docker.io")
        {
            return ImageReference.DefaultDomain;
        }

        return ImageReference.TryParse($"{host}/name", out ImageReference? reference) && reference.Domain == host
            ? host
            : throw new RegistryException(
                RegistryError.Configuration, $"'{host}' is not the name of a registry: expected host or host:port, such as registry.example or localhost:5000");
    }

    /// <summary>The user who is logged in now; null for none, or where the credential names no user.</summary>
    /// <exception cref="RegistryException">The configuration or a credential helper fails.</exception>
    public string? UserOf(string domain) => Credentials().Find(domain) is RegistryCredential.Password password ? password.User : null;

    /// <summary>Tries the credential that is kept.</summary>
    /// <exception cref="RegistryException">The registry refuses it, or is unreachable.</exception>
    public async Task CheckAsync(string domain, CancellationToken cancel = default) =>
        await VerifyAsync(domain, Credentials(), cancel).ConfigureAwait(false);

    /// <summary>Has the registry check user and password, and keeps them where docker does; an identity token instead of the
    /// password where the registry gives one.</summary>
    /// <returns>The file in which the secret now stands unencrypted; null where a credential helper keeps it.</returns>
    /// <exception cref="RegistryException">Refused or unreachable, then nothing is kept; Configuration: cannot be kept.</exception>
    public async Task<string?> LoginAsync(string domain, string user, string secret, CancellationToken cancel = default)
    {
        RegistryCredential.Password password = new(user, secret);
        string? identity = await VerifyAsync(domain, CredentialStore.Of(domain, password), cancel).ConfigureAwait(false);
        return Keeper().Store(domain, identity is null ? password : new RegistryCredential.IdentityToken(identity) { User = user });
    }

    /// <summary>Forgets the credential of a registry.</summary>
    /// <returns>Whether there was one.</returns>
    /// <exception cref="RegistryException">Configuration: the file or a credential helper fails.</exception>
    public bool Logout(string domain) => Keeper().Erase(domain);

    private CredentialStore Credentials() => new(settings.DockerConfigDirectory, Helper.Get);

    private CredentialKeeper Keeper() => new(
        settings.DockerConfigDirectory
            ?? throw new RegistryException(RegistryError.Configuration, "there is no place for credentials: set HOME or DOCKER_CONFIG"),
        Helper);

    /// <returns>The identity token that the token server gave; null for none.</returns>
    private async Task<string?> VerifyAsync(string domain, CredentialStore credentials, CancellationToken cancel)
    {
        using RegistryTransport transport = new(settings, Connect, EnvironmentVariable);
        using RegistrySession session = await RegistrySession.ConnectAsync(transport, settings, credentials, domain, RetryPolicy.Of(settings), [], cancel).ConfigureAwait(false);
        using HttpResponseMessage response = await session.SendAsync(
            () => new HttpRequestMessage(HttpMethod.Get, session.Endpoint.Url("")), cancel).ConfigureAwait(false);
        return response.StatusCode == HttpStatusCode.OK
            ? session.IdentityToken
            : throw await session.RefusalAsync(response, $"login to {domain}", cancel).ConfigureAwait(false);
    }
}
