using Hull.Oci;

namespace Hull.Networking.Endpoints;

/// <summary>A name of its own by which a container finds another one: docker's <c>--link TARGET:ALIAS</c>.</summary>
/// <param name="Target">A name of the other container's on the network, which may come and go, or its id.</param>
/// <param name="Alias">What the container with the link calls it.</param>
public sealed record EndpointLink(string Target, string Alias)
{
    /// <summary>Hexadecimal digits; no part of a DNS name is that long.</summary>
    private const int IdLength = 64;

    /// <summary><c>TARGET</c>, which is its own alias, or <c>TARGET:ALIAS</c>.</summary>
    /// <exception cref="NetworkException">Invalid, with docker's words.</exception>
    public static EndpointLink Parse(string text)
    {
        string[] parts = text.Split(':');
        return text.Length == 0 ? throw NetworkException.Invalid("empty string specified for links")
            : parts.Length > 2 || !Array.TrueForAll(parts, static part => Words.IsName(part)) ? throw NetworkException.Invalid($"bad format for links: {FlagText.Printable(text)}")
            : new EndpointLink(parts[0], parts[^1]);
    }

    /// <summary>What to look for among the network's names: of an id, its first twelve digits are one.</summary>
    internal string Name => Target.Length == IdLength ? Target[..12] : Target;

    public override string ToString() => $"{Target}:{Alias}";
}
