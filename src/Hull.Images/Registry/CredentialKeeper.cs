using System.Text;
using System.Text.Json.Nodes;

namespace Hull.Images.Registry;

/// <summary>Keeps and forgets credentials where docker does: with the registry's helper (<c>credHelpers</c>), with the general one
/// (<c>credsStore</c>), else in <c>auths</c> of config.json.</summary>
/// <param name="directory">Of config.json.</param>
internal sealed class CredentialKeeper(string directory, ICredentialHelper helpers)
{
    private const string Auths = "auths";
    private readonly DockerConfigFile _file = new(directory);

    /// <returns>The file in which the secret now stands unencrypted; null where a helper keeps it.</returns>
    /// <exception cref="RegistryException">Configuration: a helper failed, or the file is malformed.</exception>
    public string? Store(string domain, RegistryCredential credential)
    {
        string key = CredentialStore.KeyOf(domain);
        (string user, string secret) = credential switch
        {
            RegistryCredential.Password password => (password.User, password.Secret),

            // docker's protocol of helpers: this user name marks an OAuth2 refresh token.
            RegistryCredential.IdentityToken identity => (CredentialStore.TokenUser, identity.Token),
            _ => throw new ArgumentException("a registry token is not kept", nameof(credential)),
        };
        string? helper = CredentialStore.HelperOf(_file.Read(), key, domain, _file.Path);
        if (helper is not null)
        {
            Check(helpers.Store(helper, key, user, secret), helper, key);
        }

        _file.Change(config =>
        {
            JsonObject auths = config[Auths]?.AsObject() ?? [];
            config[Auths] = auths;
            foreach (string same in SameRegistry(auths, key))
            {
                auths.Remove(same);
            }

            // With a helper an empty entry, as docker: that somebody is logged in.
            auths[key] = helper is null ? Entry(credential) : [];
        });
        return helper is null ? _file.Path : null;
    }

    /// <returns>Whether there was a credential.</returns>
    /// <exception cref="RegistryException">Configuration: a helper failed, or the file is malformed.</exception>
    public bool Erase(string domain)
    {
        string key = CredentialStore.KeyOf(domain);
        bool found = false;
        if (CredentialStore.HelperOf(_file.Read(), key, domain, _file.Path) is { } helper)
        {
            CredentialHelperResult kept = helpers.Get(helper, key);
            Check(kept, helper, key);
            if (kept.Secret is not null)
            {
                Check(helpers.Erase(helper, key), helper, key);
                found = true;
            }
        }

        if (_file.Read().Auths is not { } auths || !auths.Keys.Any(name => IsSame(name, key)))
        {
            return found;
        }

        _file.Change(config =>
        {
            foreach (string same in SameRegistry(config[Auths]!.AsObject(), key))
            {
                config[Auths]!.AsObject().Remove(same);
            }
        });
        return true;
    }

    /// <summary>As docker writes it: user and password in one base64, an identity token beside the user.</summary>
    private static JsonObject Entry(RegistryCredential credential) => credential switch
    {
        RegistryCredential.IdentityToken identity => new JsonObject
        {
            ["auth"] = Convert.ToBase64String(Encoding.UTF8.GetBytes($"{identity.User}:")),
            ["identitytoken"] = identity.Token,
        },
        RegistryCredential.Password password => new JsonObject
        {
            ["auth"] = Convert.ToBase64String(Encoding.UTF8.GetBytes($"{password.User}:{password.Secret}")),
        },
        _ => [],
    };

    private static List<string> SameRegistry(JsonObject auths, string key) => [.. auths.Select(entry => entry.Key).Where(name => IsSame(name, key))];

    /// <summary>Old entries are URLs of the same host.</summary>
    private static bool IsSame(string name, string key) =>
        CredentialStore.HostOfKey(name).Equals(CredentialStore.HostOfKey(key), StringComparison.OrdinalIgnoreCase);

    private void Check(CredentialHelperResult result, string helper, string key)
    {
        if (result.Failure is not null)
        {
            throw CredentialStore.HelperFailed(helper, key, result.Failure, _file.Path);
        }
    }
}
