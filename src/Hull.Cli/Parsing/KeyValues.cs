using System.Text;
using Hull.Engine;
using Hull.Linux;

namespace Hull.Cli.Parsing;

/// <summary>Environment variables and labels, from flags and from files.</summary>
internal static class KeyValues
{
    /// <summary>No such file is this long by intent.</summary>
    private const int FileLimit = 16 * 1024 * 1024;

    /// <summary><c>KEY=value</c> entries: those of the files first, the flags' after them, where they win. A <c>KEY</c>
    /// alone takes the caller's own value; where there is none, the bare key stays in a flag's case, which removes what the
    /// image sets, and is dropped in a file's.</summary>
    /// <exception cref="EngineException">A file that cannot be read, an entry without a name.</exception>
    public static IReadOnlyList<string>? Environment(string[]? files, string[]? flags, Func<string, string?> own)
    {
        if (files is null && flags is null)
        {
            return null;
        }

        List<string> entries = [];
        foreach (string file in files ?? [])
        {
            ReadFile(file, (key, value, line) =>
            {
                if (key.AsSpan().ContainsAny(' ', '\t'))
                {
                    throw EngineException.Invalid($"invalid env file ({file}): line {line}: variable '{key}' contains whitespaces");
                }

                string? text = value ?? own(key);
                if (text is not null)
                {
                    entries.Add($"{key}={text}");
                }
            });
        }

        foreach (string flag in flags ?? [])
        {
            int equals = flag.IndexOf('=', StringComparison.Ordinal);
            if (equals == 0 || flag.Length == 0)
            {
                throw EngineException.Invalid($"invalid environment variable: {flag}");
            }

            entries.Add(equals < 0 && own(flag) is { } value ? $"{flag}={value}" : flag);
        }

        return entries;
    }

    /// <summary>Labels of the files, then of the flags; a label without <c>=</c> is empty.</summary>
    public static Dictionary<string, string>? Labels(string[]? files, string[]? flags)
    {
        if (files is null && flags is null)
        {
            return null;
        }

        Dictionary<string, string> labels = new(StringComparer.Ordinal);
        foreach (string file in files ?? [])
        {
            ReadFile(file, (key, value, _) => labels[key] = value ?? "");
        }

        foreach (string flag in flags ?? [])
        {
            (string key, string value) = Split(flag);
            if (key.Length == 0)
            {
                throw EngineException.Invalid($"invalid label '{flag}': empty name");
            }

            labels[key] = value;
        }

        return labels;
    }

    /// <summary>A map of <c>key=value</c> flags.</summary>
    public static Dictionary<string, string>? Map(string[]? flags)
    {
        if (flags is null)
        {
            return null;
        }

        Dictionary<string, string> map = new(StringComparer.Ordinal);
        foreach (string flag in flags)
        {
            (string key, string value) = Split(flag);
            map[key] = value;
        }

        return map;
    }

    private static (string Key, string Value) Split(string text)
    {
        int equals = text.IndexOf('=', StringComparison.Ordinal);
        return equals < 0 ? (text, "") : (text[..equals], text[(equals + 1)..]);
    }

    /// <summary>A line an entry: empty lines and lines that begin with # are skipped, white space before the key too;
    /// the value is all after the first =, unquoted and untrimmed, as docker takes it.</summary>
    private static void ReadFile(string path, Action<string, string?, int> entry)
    {
        byte[] content;
        try
        {
            using Microsoft.Win32.SafeHandles.SafeFileHandle file = Files.Open(path, OpenFlags.ReadOnly);
            content = Files.ReadAll(file, FileLimit, path);
        }
        catch (SyscallException exception)
        {
            throw EngineException.Invalid($"open {path}: {exception.Errno.Text().ToLowerInvariant()}", exception);
        }

        string text;
        try
        {
            text = new UTF8Encoding(false, throwOnInvalidBytes: true).GetString(content);
        }
        catch (DecoderFallbackException exception)
        {
            throw EngineException.Invalid($"invalid utf8 bytes in {path}", exception);
        }

        int number = 0;
        foreach (ReadOnlySpan<char> raw in text.AsSpan().TrimStart('\uFEFF').EnumerateLines())
        {
            number++;
            ReadOnlySpan<char> line = raw.TrimStart();
            if (line.IsEmpty || line[0] == '#')
            {
                continue;
            }

            int equals = line.IndexOf('=');
            string key = (equals < 0 ? line : line[..equals]).ToString();
            if (key.Length == 0)
            {
                throw EngineException.Invalid($"invalid env file ({path}): line {number}: no variable name on line '{line}'");
            }

            entry(key, equals < 0 ? null : line[(equals + 1)..].ToString(), number);
        }
    }
}
