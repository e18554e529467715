namespace Hull.Networking;

/// <summary>Which texts may name a network or an alias.</summary>
internal static class Words
{
    /// <summary>Letters, digits, <c>_ . -</c>, the first a letter or a digit; so it can stand in a path too.</summary>
    public static bool IsName(ReadOnlySpan<char> text)
    {
        if (text.Length is 0 or > 253 || !char.IsAsciiLetterOrDigit(text[0]))
        {
            return false;
        }

        foreach (char c in text)
        {
            if (!char.IsAsciiLetterOrDigit(c) && c is not ('_' or '.' or '-'))
            {
                return false;
            }
        }

        return true;
    }
}
