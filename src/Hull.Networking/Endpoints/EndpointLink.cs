using Hull.Oci;

namespace Hull.Networking.Endpoints;

/// <summary>A name of its own by which a container finds another one: docker's <c>--link TARGET:ALIAS</c>.</summary>
/// <param name="Target">A name of the other container's on the network, which may come and go.</param>
/// <param name="Alias">What the container with the link calls it.</param>
public sealed record EndpointLink(string Target, string Alias)
{
    /// <summary><c>TARGET</c>, which is its own alias, or <c>TARGET:ALIAS</c>.</summary>
    /// <exception cref="NetworkException">Invalid, with docker's words.</exception>
    public static EndpointLink Parse(string text)
    {
        string[] parts = text.Split(':');
        return text.Length == 0 ? throw NetworkException.Invalid("empty string specified for links")
            : parts.Length > 2 || !Array.TrueForAll(parts, static part => Words.IsName(part)) ? throw NetworkException.Invalid($"bad format for links: {FlagText.Printable(text)}")
            : new EndpointLink(parts[0], parts[^1]);
    }

    public override string ToString() => $"{Target}:{Alias}";
}
