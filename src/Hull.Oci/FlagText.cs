namespace Hull.Oci;

/// <summary>What a user or an image wrote, made fit for an error message.</summary>
public static class FlagText
{
    private const int Longest = 200;

    /// <summary>Control characters as <c>?</c>, cut at 200 characters: no terminal is steered by an image's strings.</summary>
    public static string Printable(string text)
    {
        bool clean = text.Length <= Longest;
        for (int i = 0; clean && i < text.Length; i++)
        {
            clean = !char.IsControl(text[i]);
        }

        return clean ? text : string.Create(Math.Min(text.Length, Longest), text, static (span, source) =>
        {
            for (int i = 0; i < span.Length; i++)
            {
                span[i] = char.IsControl(source[i]) ? '?' : source[i];
            }
        });
    }

    /// <summary>Whether the text holds a character that would start a new line or end a C string.</summary>
    public static bool HasControl(string text)
    {
        foreach (char c in text)
        {
            if (char.IsControl(c))
            {
                return true;
            }
        }

        return false;
    }
}
