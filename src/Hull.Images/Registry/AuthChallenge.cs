namespace Hull.Images.Registry;

/// <summary>One challenge of a <c>WWW-Authenticate</c> header: a scheme and its parameters.</summary>
/// <remarks>RFC 9110 section 11.6.1. One header line may hold several challenges, parted by the same commas that part
/// parameters: what follows a comma is a new challenge where a token is followed by a space and not by <c>=</c>.</remarks>
internal sealed record AuthChallenge(string Scheme, IReadOnlyDictionary<string, string> Parameters)
{
    private const string TokenPunctuation = "!#$%&'*+-.^_`|~";

    public bool IsBearer => Scheme.Equals("Bearer", StringComparison.OrdinalIgnoreCase);

    public bool IsBasic => Scheme.Equals("Basic", StringComparison.OrdinalIgnoreCase);

    /// <summary>The parameter, or null. Names are compared without case.</summary>
    public string? this[string name] => Parameters.GetValueOrDefault(name);

    /// <summary>All challenges of all header lines, in order. Text that is no challenge ends the parse of its line.</summary>
    public static IReadOnlyList<AuthChallenge> Parse(IEnumerable<string> headerLines)
    {
        List<AuthChallenge> challenges = [];
        foreach (string line in headerLines)
        {
            ParseLine(line, challenges);
        }

        return challenges;
    }

    private static void ParseLine(ReadOnlySpan<char> rest, List<AuthChallenge> challenges)
    {
        Dictionary<string, string>? parameters = null;
        while (true)
        {
            rest = rest.TrimStart(" \t,");
            ReadOnlySpan<char> token = TakeToken(ref rest);
            if (token.IsEmpty)
            {
                return;
            }

            ReadOnlySpan<char> afterSpace = rest.TrimStart(" \t");
            if (parameters is null || !afterSpace.StartsWith("="))
            {
                parameters = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
                challenges.Add(new AuthChallenge(token.ToString(), parameters));
                continue;
            }

            rest = afterSpace[1..].TrimStart(" \t");
            if (TakeValue(ref rest) is not string value)
            {
                return;
            }

            // The first wins: a second `realm` must not redirect what was shown first.
            parameters.TryAdd(token.ToString(), value);
        }
    }

    private static ReadOnlySpan<char> TakeToken(ref ReadOnlySpan<char> rest)
    {
        int length = 0;
        while (length < rest.Length
            && (char.IsAsciiLetterOrDigit(rest[length]) || TokenPunctuation.Contains(rest[length], StringComparison.Ordinal)))
        {
            length++;
        }

        ReadOnlySpan<char> token = rest[..length];
        rest = rest[length..];
        return token;
    }

    private static string? TakeValue(ref ReadOnlySpan<char> rest)
    {
        if (!rest.StartsWith("\""))
        {
            ReadOnlySpan<char> token = TakeToken(ref rest);
            return token.IsEmpty ? null : token.ToString();
        }

        System.Text.StringBuilder value = new();
        for (int i = 1; i < rest.Length; i++)
        {
            if (rest[i] == '"')
            {
                rest = rest[(i + 1)..];
                return value.ToString();
            }

            if (rest[i] == '\\' && i + 1 < rest.Length)
            {
                i++;
            }

            value.Append(rest[i]);
        }

        return null;
    }
}
