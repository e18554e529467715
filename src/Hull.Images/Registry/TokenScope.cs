namespace Hull.Images.Registry;

/// <summary>What a token allows, in the words of token servers: <c>repository:NAME:ACTIONS</c> (distribution, "Token Scope
/// Documentation").</summary>
internal static class TokenScope
{
    /// <summary>Listing a registry's repositories.</summary>
    public const string Catalog = "registry:catalog:*";

    public static string Pull(string repository) => $"repository:{repository}:pull";

    public static string Push(string repository) => $"repository:{repository}:pull,push";
}
