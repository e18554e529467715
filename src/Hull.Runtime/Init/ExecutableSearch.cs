namespace Hull.Runtime.Init;

/// <summary>Where a command may be, execvp(3).</summary>
internal static class ExecutableSearch
{
    private const string DefaultPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

    /// <summary>The command itself where it has a slash, otherwise once a directory of the payload's PATH.</summary>
    public static IReadOnlyList<string> Candidates(string command, IReadOnlyList<string>? environment)
    {
        if (command.Length == 0 || command.Contains('/', StringComparison.Ordinal))
        {
            return [command];
        }

        string path = DefaultPath;
        foreach (string variable in environment ?? [])
        {
            if (variable.StartsWith("PATH=", StringComparison.Ordinal))
            {
                path = variable["PATH=".Length..];
            }
        }

        // An empty entry means the current directory, which is the container's.
        return [.. path.Split(':').Select(directory => directory.Length == 0 ? command : $"{directory.TrimEnd('/')}/{command}")];
    }
}
