using System.Text.Json;
using Hull.Cli.Output;
using Hull.Engine;
using Hull.Oci.ImageSpec;

namespace Hull.Cli.Commands.Images;

/// <summary>The Dockerfile instructions of <c>--change</c>: CMD, ENTRYPOINT, ENV, EXPOSE, HEALTHCHECK, LABEL, ONBUILD, STOPSIGNAL, USER,
/// VOLUME and WORKDIR.</summary>
internal static class DefaultsChanges
{
    private const string Instructions = "CMD, ENTRYPOINT, ENV, EXPOSE, HEALTHCHECK, LABEL, ONBUILD, STOPSIGNAL, USER, VOLUME and WORKDIR";

    /// <summary>Changes what a container of an image starts with.</summary>
    /// <exception cref="EngineException">No such instruction, or its words make no sense.</exception>
    public static ImageDefaults Apply(IReadOnlyList<string> changes, ImageDefaults defaults)
    {
        bool command = false;
        foreach (string change in changes)
        {
            string line = change.Trim();
            int space = line.AsSpan().IndexOfAny(' ', '\t');
            string rest = space < 0 ? "" : line[(space + 1)..].Trim();
            if (rest.Length == 0)
            {
                throw EngineException.Invalid($"--change {GoText.Quote(change)}: the instruction has no arguments");
            }

            string instruction = line[..space].ToUpperInvariant();
            command |= instruction == "CMD";
            defaults = Apply(defaults, instruction, rest);
            if (instruction == "ENTRYPOINT" && !command)
            {
                // As in a Dockerfile: the command before it was another program's.
                defaults = defaults with { Cmd = null };
            }
        }

        return defaults;
    }

    private static ImageDefaults Apply(ImageDefaults defaults, string instruction, string rest) => instruction switch
    {
        "CMD" => defaults with { Cmd = Command(rest) },
        "ENTRYPOINT" => defaults with { Entrypoint = Command(rest) },
        "ENV" => defaults with { Env = AddEnv(defaults.Env, rest) },
        "LABEL" => defaults with { Labels = AddLabels(defaults.Labels, rest) },
        "EXPOSE" => defaults with { ExposedPorts = Add(defaults.ExposedPorts, rest.Split(' ', StringSplitOptions.RemoveEmptyEntries), Port) },
        "VOLUME" => defaults with { Volumes = Add(defaults.Volumes, JsonList(rest) ?? [.. rest.Split(' ', StringSplitOptions.RemoveEmptyEntries)], path => path) },
        "HEALTHCHECK" => defaults with { Healthcheck = HealthcheckInstruction.Parse(rest) },
        "ONBUILD" => defaults with { OnBuild = [.. defaults.OnBuild ?? [], Trigger(rest)] },
        "STOPSIGNAL" => defaults with { StopSignal = rest },
        "USER" => defaults with { User = rest },
        "WORKDIR" => defaults with
        {
            WorkingDirectory = Path.GetFullPath(rest, defaults.WorkingDirectory is { Length: > 0 } current ? current : "/"),
        },
        _ => throw EngineException.Invalid(
            $"{instruction} is not a valid change command: {Instructions} are"),
    };

    /// <summary>An instruction for the builds on top of the image.</summary>
    private static string Trigger(string rest)
    {
        string instruction = rest.Split(' ', 2)[0].ToUpperInvariant();
        return instruction is "ONBUILD" or "FROM" or "MAINTAINER"
            ? throw EngineException.Invalid($"{instruction} isn't allowed as an ONBUILD trigger")
            : rest;
    }

    /// <summary>A JSON list is the program and its arguments, anything else a line for the shell.</summary>
    private static List<string> Command(string rest) => JsonList(rest) ?? ["/bin/sh", "-c", rest];

    /// <summary>The strings of a JSON list; null where the text is none.</summary>
    internal static List<string>? JsonList(string text)
    {
        if (!text.StartsWith('['))
        {
            return null;
        }

        try
        {
            using JsonDocument document = JsonDocument.Parse(text);
            List<string> items = [];
            foreach (JsonElement item in document.RootElement.EnumerateArray())
            {
                items.Add(item.GetString() ?? "");
            }

            return items;
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            // As in a Dockerfile: what is no list of strings is for the shell.
            return null;
        }
    }

    private static List<string> AddEnv(IReadOnlyList<string>? before, string rest)
    {
        List<string> entries = [.. before ?? []];
        foreach ((string key, string value) in Pairs(rest))
        {
            entries.RemoveAll(entry => entry.StartsWith(key + "=", StringComparison.Ordinal));
            entries.Add($"{key}={value}");
        }

        return entries;
    }

    private static Dictionary<string, string> AddLabels(IReadOnlyDictionary<string, string>? before, string rest)
    {
        Dictionary<string, string> labels = before is null ? [] : new(before);
        foreach ((string key, string value) in Pairs(rest))
        {
            labels[key] = value;
        }

        return labels;
    }

    private static Dictionary<string, EmptyObject> Add(
        IReadOnlyDictionary<string, EmptyObject>? before, IEnumerable<string> names, Func<string, string> convert)
    {
        Dictionary<string, EmptyObject> set = before is null ? [] : new(before);
        foreach (string name in names)
        {
            set[convert(name)] = new EmptyObject();
        }

        return set;
    }

    private static string Port(string text) => text.Contains('/', StringComparison.Ordinal) ? text : text + "/tcp";

    /// <summary><c>KEY=value KEY="two words"</c>, or the old form <c>KEY all the rest</c>.</summary>
    private static List<KeyValuePair<string, string>> Pairs(string rest)
    {
        List<KeyValuePair<string, string>> pairs = [];
        int first = rest.AsSpan().IndexOfAny(' ', '=');
        if (first < 0)
        {
            throw EngineException.Invalid($"{GoText.Quote(rest)} must have a value");
        }

        if (rest[first] == ' ')
        {
            pairs.Add(new(rest[..first], rest[(first + 1)..].Trim()));
            return pairs;
        }

        int at = 0;
        while (at < rest.Length)
        {
            int equals = rest.IndexOf('=', at);
            if (equals <= at)
            {
                throw EngineException.Invalid($"Syntax error - can't find = in {GoText.Quote(rest[at..])}. Must be of the form: name=value");
            }

            string key = rest[at..equals];
            at = equals + 1;
            System.Text.StringBuilder value = new();
            char quote = '\0';
            for (; at < rest.Length && (quote != '\0' || rest[at] != ' '); at++)
            {
                char c = rest[at];
                if (c == '\\' && quote != '\'' && at + 1 < rest.Length)
                {
                    value.Append(rest[++at]);
                }
                else if (quote == '\0' && c is '"' or '\'')
                {
                    quote = c;
                }
                else if (c == quote)
                {
                    quote = '\0';
                }
                else
                {
                    value.Append(c);
                }
            }

            pairs.Add(new(key, value.ToString()));
            while (at < rest.Length && rest[at] == ' ')
            {
                at++;
            }
        }

        return pairs;
    }
}
