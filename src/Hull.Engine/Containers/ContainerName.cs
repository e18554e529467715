using System.Buffers;
using Hull.Oci;

namespace Hull.Engine.Containers;

/// <summary>Names of containers and volumes: <c>[a-zA-Z0-9][a-zA-Z0-9_.-]+</c>. A valid one can stand as a file's name.</summary>
public static class ContainerName
{
    /// <summary>A name is one directory entry (NAME_MAX).</summary>
    private const int Longest = 255;

    private static readonly SearchValues<char> Allowed =
        SearchValues.Create("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-");

    public static bool IsValid(ReadOnlySpan<char> name) =>
        name.Length is >= 2 and <= Longest && char.IsAsciiLetterOrDigit(name[0]) && !name.ContainsAnyExcept(Allowed);

    /// <summary>The name without Docker's leading slash.</summary>
    /// <exception cref="EngineException">Invalid, with Docker's words.</exception>
    public static string Check(string name)
    {
        string bare = name.StartsWith('/') ? name[1..] : name;
        return IsValid(bare)
            ? bare
            : throw EngineException.Invalid(
                $"Invalid container name ({FlagText.Printable(bare)}), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed");
    }
}
