namespace Hull.Cli.Parsing;

/// <summary>One <c>--filter</c>: <c>label!=x</c> has the key <c>label!</c>.</summary>
internal sealed record FilterTerm(string Key, string Value)
{
    /// <param name="keys">Those that the command knows, in lower case.</param>
    /// <exception cref="FormatException">Not <c>key=value</c>, or no such key.</exception>
    public static List<FilterTerm> ParseAll(IReadOnlyList<string> filters, IReadOnlyList<string> keys) => [.. filters.Select(text => Parse(text, keys))];

    private static FilterTerm Parse(string text, IReadOnlyList<string> keys)
    {
        int equals = text.IndexOf('=', StringComparison.Ordinal);
        if (equals <= 0)
        {
            throw new FormatException("bad format of filter (expected name=value)");
        }

        string key = text[..equals].Trim().ToLowerInvariant();
        return keys.Contains(key)
            ? new FilterTerm(key, text[(equals + 1)..].Trim())
            : throw new FormatException($"invalid filter '{key}' (use {string.Join(", ", keys)})");
    }
}
