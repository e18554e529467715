using Hull.Oci;

namespace Hull.Images.Registry;

/// <summary>What a registry's refusal of a push means, and what to do about it.</summary>
internal static class PushRefusal
{
    public static RegistryException Of(RegistryException refusal, ImageReference reference, string? credentialFile)
    {
        string said = refusal.Message.TrimStart(':', ' ');
        string login = $"(hull login {(reference.Domain == ImageReference.DefaultDomain ? "" : reference.Domain)}"
            .TrimEnd() + (credentialFile is null ? ")" : $"; credentials are read from {credentialFile})");
        string words = refusal switch
        {
            { Kind: RegistryError.Unauthorized } =>
                $"push access denied for {reference.FamiliarName}, repository does not exist or may require authorization: {said} {login}",
            { Code: "NAME_UNKNOWN" } =>
                $"repository {reference.FamiliarName} not found: {said} (this registry wants it made before the first push)",
            { Status: 405 } or { Code: "UNSUPPORTED" } =>
                $"push {reference.Familiar}: {reference.Domain} is read-only or a mirror: {said}",
            { Status: 413 } =>
                $"push {reference.Familiar}: {said}: more than the registry, a quota of it, or a proxy before it takes, in smaller requests too",
            { Code: "DIGEST_INVALID" } =>
                $"push {reference.Familiar}: {said} (if the stored blob is damaged, remove the image and pull or load it again)",
            _ => $"push {reference.Familiar}: {said}",
        };
        return refusal.With(words);
    }
}
