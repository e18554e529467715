namespace Hull.Images.Registry;

/// <summary>What a token allows, in the words of token servers: <c>repository:NAME:ACTIONS</c> (distribution, "Token Scope
/// Documentation").</summary>
internal static class TokenScope
{
    public static string Pull(string repository) => $"repository:{repository}:pull";

    public static string Push(string repository) => $"repository:{repository}:pull,push";
}
