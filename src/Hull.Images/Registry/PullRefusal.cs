using Hull.Oci;

namespace Hull.Images.Registry;

/// <summary>Docker's sentences for a reference that a registry will not give: which name, and whether to look for a typing
/// error or for a login.</summary>
internal static class PullRefusal
{
    public static RegistryException ForManifest(RegistryException refusal, ImageReference reference, string? credentialFile)
    {
        string said = refusal.Message.TrimStart(':', ' ');
        string login = credentialFile is null ? "" : $" (credentials are read from {credentialFile})";
        return refusal.Kind switch
        {
            // Registries answer 401 or 403 for repositories that do not exist, so as not to tell which ones do.
            RegistryError.Unauthorized => refusal.With(
                $"pull access denied for {reference.FamiliarName}, repository does not exist or may require a login: {said}{login}"),
            RegistryError.NotFound when refusal.Code == "NAME_UNKNOWN" => refusal.With(
                $"repository {reference.FamiliarName} not found: {said}"),
            RegistryError.NotFound => refusal.With($"manifest for {reference.Familiar} not found: {said}"),
            _ => refusal.With($"pull {reference.Familiar}: {said}"),
        };
    }
}
