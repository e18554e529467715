using Hull.Cli.Parsing;
using Hull.Images;
using Hull.Oci;

namespace Hull.Cli.Commands.Images;

/// <summary>The filters of <c>images --filter</c>.</summary>
internal sealed class ImageFilter
{
    private readonly List<KeyValuePair<string, string>> _wanted = [];

    /// <exception cref="FormatException">Not <c>key=value</c>, or no such key.</exception>
    public static ImageFilter Parse(IReadOnlyList<string> filters)
    {
        ImageFilter filter = new();
        foreach (string text in filters)
        {
            int equals = text.IndexOf('=', StringComparison.Ordinal);
            if (equals <= 0)
            {
                throw new FormatException("bad format of filter (expected name=value)");
            }

            string key = text[..equals].Trim().ToLowerInvariant();
            string value = text[(equals + 1)..].Trim();
            if (key is not ("dangling" or "label" or "reference" or "until"))
            {
                throw new FormatException($"invalid filter '{key}' (use dangling, label, reference or until)");
            }

            filter._wanted.Add(new(key, value));
        }

        return filter;
    }

    public bool Matches(Image image, DateTimeOffset now)
    {
        foreach ((string key, string value) in _wanted)
        {
            bool matches = key switch
            {
                "dangling" => (image.RepoTags.Count == 0) == value is "true" or "1",
                "label" => HasLabel(image.Config.Defaults?.Labels, value),
                "reference" => HasName(image, value),
                _ => Quantity.TryParseInstant(value, now, out DateTimeOffset? instant) && image.Created < instant,
            };
            if (!matches)
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>Whether a name is the one wanted: a repository, one with a tag, or a pattern with <c>*</c> and <c>?</c>.</summary>
    public static bool IsNamed(ImageReference name, string wanted) =>
        System.IO.Enumeration.FileSystemName.MatchesSimpleExpression(wanted, name.FamiliarName, ignoreCase: false)
        || System.IO.Enumeration.FileSystemName.MatchesSimpleExpression(wanted, name.Familiar, ignoreCase: false)
        || wanted == name.Name || wanted == name.ToString();

    private static bool HasLabel(IReadOnlyDictionary<string, string>? labels, string wanted)
    {
        int equals = wanted.IndexOf('=', StringComparison.Ordinal);
        return labels is not null && labels.TryGetValue(equals < 0 ? wanted : wanted[..equals], out string? value)
            && (equals < 0 || value == wanted[(equals + 1)..]);
    }

    private static bool HasName(Image image, string pattern)
    {
        foreach (ImageReference name in image.References)
        {
            if (IsNamed(name, pattern))
            {
                return true;
            }
        }

        return false;
    }
}
