namespace Hull.Cli.Parsing;

/// <summary>The <c>label</c> filter: <c>KEY</c>, or <c>KEY=VALUE</c>.</summary>
internal static class LabelFilter
{
    public static bool Has(IReadOnlyDictionary<string, string>? labels, string wanted)
    {
        int equals = wanted.IndexOf('=', StringComparison.Ordinal);
        return labels is not null && labels.TryGetValue(equals < 0 ? wanted : wanted[..equals], out string? value)
            && (equals < 0 || value == wanted[(equals + 1)..]);
    }
}
