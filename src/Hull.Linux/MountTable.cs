namespace Hull.Linux;

/// <summary>The text of a mount table, proc_pid_mountinfo(5).</summary>
public static class MountTable
{
    /// <summary>A path as it is: blank, tab, newline, backslash and number sign are octal escapes in a mount table (show_path, mangle in
    /// fs/proc_namespace.c).</summary>
    public static string Unescape(string field)
    {
        if (!field.Contains('\\', StringComparison.Ordinal))
        {
            return field;
        }

        // The backslash's own last: what it then makes is no escape.
        return field.Replace(@"\040", " ", StringComparison.Ordinal)
            .Replace(@"\011", "\t", StringComparison.Ordinal)
            .Replace(@"\012", "\n", StringComparison.Ordinal)
            .Replace(@"\043", "#", StringComparison.Ordinal)
            .Replace(@"\134", @"\", StringComparison.Ordinal);
    }
}
