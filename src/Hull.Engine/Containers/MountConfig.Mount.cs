using System.Globalization;
using Hull.Oci;

namespace Hull.Engine.Containers;

/// <summary>--mount.</summary>
public sealed partial record MountConfig
{
    /// <summary><c>--mount type=bind,source=…,target=…[,KEY=VALUE…]</c>, comma separated values (a value with a comma stands in
    /// double quotes around the whole field).</summary>
    /// <exception cref="EngineException">Invalid, with Docker's words.</exception>
    public static MountConfig ParseMount(string text, string? currentDirectory = null)
    {
        MountConfig mount = new() { Kind = MountKind.Volume, Target = "", Origin = MountOrigin.MountFlag };
        // The first key of each kind's own options, to name it when it does not fit the type.
        string? bindKey = null;
        string? volumeKey = null;
        string? tmpfsKey = null;
        foreach (string field in Fields(text))
        {
            int equals = field.IndexOf('=', StringComparison.Ordinal);
            string key = (equals < 0 ? field : field[..equals]).Trim().ToLowerInvariant();
            string value = equals < 0 ? "" : field[(equals + 1)..];
            if (equals < 0 && key is not ("readonly" or "ro" or "volume-nocopy" or "bind-nonrecursive"))
            {
                throw BadMount(text, $"invalid field '{FlagText.Printable(field)}' must be a key=value pair");
            }

            bindKey ??= key.StartsWith("bind-", StringComparison.Ordinal) ? key : null;
            volumeKey ??= key.StartsWith("volume-", StringComparison.Ordinal) ? key : null;
            tmpfsKey ??= key.StartsWith("tmpfs-", StringComparison.Ordinal) ? key : null;
            mount = key switch
            {
                "type" => mount with { Kind = Type(value.ToLowerInvariant(), text) },
                "source" or "src" => mount with { Source = value },
                "target" or "dst" or "destination" => mount with { Target = CheckTarget(value, problem => BadMount(text, problem)) },
                "readonly" or "ro" => mount with { ReadOnly = Boolean(key, equals < 0, value) },
                // Consistency was Docker Desktop's; it never had an effect on Linux.
                "consistency" => mount,
                "bind-propagation" => mount with { Propagation = Propagations(value, text) },
                "bind-nonrecursive" => mount with { NonRecursive = Boolean(key, equals < 0, value) },
                "bind-recursive" => value switch
                {
                    "enabled" => mount,
                    "disabled" => mount with { NonRecursive = true },
                    _ => throw BadMount(text, $"invalid value for {key}: {FlagText.Printable(value)} (must be \"enabled\" or \"disabled\")"),
                },
                "volume-nocopy" => mount with { NoCopy = Boolean(key, equals < 0, value) },
                "volume-subpath" => mount with { Subpath = RelativePath(value, text) },
                "volume-driver" => value is "" or "local" ? mount
                    : throw BadMount(text, $"unknown volume driver '{FlagText.Printable(value)}': only 'local' is there"),
                "tmpfs-size" => mount with
                {
                    TmpfsSize = ByteSize.TryParse(value, out long size) ? size
                        : throw BadMount(text, $"invalid value for {key}: {FlagText.Printable(value)}"),
                },
                "tmpfs-mode" => mount with { TmpfsMode = Octal(key, value, text) },
                _ => throw BadMount(text, $"unexpected key '{FlagText.Printable(key)}' in '{FlagText.Printable(field)}'"),
            };
        }

        if (mount.Target.Length == 0)
        {
            throw BadMount(text, "target is required");
        }

        return mount.Kind switch
        {
            MountKind.Bind => Only(volumeKey ?? tmpfsKey, "bind", mount with { Source = BindSource(mount.Source, currentDirectory, text) }),
            MountKind.Tmpfs when mount.Source is not null => throw BadMount(text, "source must not be set for type tmpfs"),
            MountKind.Tmpfs => Only(bindKey ?? volumeKey, "tmpfs", mount),
            _ => Only(bindKey ?? tmpfsKey, "volume",
                mount.Source is { Length: > 0 } name ? mount with { Source = VolumeName(name) } : mount with { Source = null, Anonymous = true }),
        };
    }

    private static MountConfig Only(string? foreignKey, string type, MountConfig mount) => foreignKey is null
        ? mount
        : throw EngineException.Invalid(
            $"cannot mix '{foreignKey[..(foreignKey.IndexOf('-', StringComparison.Ordinal) + 1)]}*' options with mount type '{type}'");

    private static string BindSource(string? source, string? currentDirectory, string text)
    {
        if (source is null or "")
        {
            throw BadMount(text, "source is required for type bind");
        }

        return FlagText.HasControl(source)
            ? throw BadMount(text, "the source holds control characters")
            : ContainerPath.Clean(source[0] == '/' ? source : Path.Combine(currentDirectory ?? Environment.CurrentDirectory, source));
    }

    private static MountKind Type(string value, string text) => value switch
    {
        "bind" => MountKind.Bind,
        "volume" => MountKind.Volume,
        "tmpfs" => MountKind.Tmpfs,
        _ => throw BadMount(text, $"mount type unknown: \"{FlagText.Printable(value)}\" (bind, volume or tmpfs)"),
    };

    private static string Propagations(string value, string text) =>
        value is "private" or "rprivate" or "shared" or "rshared" or "slave" or "rslave"
            ? value
            : throw BadMount(text, $"invalid propagation mode: {FlagText.Printable(value)}");

    private static string RelativePath(string value, string text) =>
        value.Length > 0 && value[0] != '/' && !FlagText.HasControl(value) && ContainerPath.Clean(value).Length > 1
        && Array.IndexOf(value.Split('/'), "..") < 0
            ? value
            : throw BadMount(text, "subpath must be a relative path within the volume");

    private static bool Boolean(string key, bool bare, string value) => bare || value switch
    {
        "1" or "t" or "T" or "true" or "TRUE" or "True" => true,
        "0" or "f" or "F" or "false" or "FALSE" or "False" => false,
        _ => throw EngineException.Invalid($"invalid value for '{key}': {FlagText.Printable(value)}"),
    };

    private static uint Octal(string key, string value, string text)
    {
        uint mode = 0;
        foreach (char c in value)
        {
            mode = c is >= '0' and <= '7' && mode < 0x200 ? (mode * 8) + (uint)(c - '0') : uint.MaxValue;
            if (mode > 0xFFF)
            {
                break;
            }
        }

        return value.Length > 0 && mode <= 0xFFF
            ? mode
            : throw BadMount(text, string.Create(CultureInfo.InvariantCulture, $"invalid value for {key}: {FlagText.Printable(value)}"));
    }

    /// <summary>One line of comma separated values, RFC 4180.</summary>
    private static List<string> Fields(string text)
    {
        List<string> fields = [];
        int at = 0;
        while (at <= text.Length)
        {
            if (at < text.Length && text[at] == '"')
            {
                System.Text.StringBuilder field = new();
                for (at++; ; at++)
                {
                    if (at == text.Length)
                    {
                        throw BadMount(text, "a double quote is not closed");
                    }

                    if (text[at] != '"')
                    {
                        field.Append(text[at]);
                    }
                    else if (at + 1 < text.Length && text[at + 1] == '"')
                    {
                        field.Append('"');
                        at++;
                    }
                    else
                    {
                        break;
                    }
                }

                at++;
                if (at < text.Length && text[at] != ',')
                {
                    throw BadMount(text, "text after a closing double quote");
                }

                at++;
                fields.Add(field.ToString());
            }
            else
            {
                int comma = text.IndexOf(',', at);
                comma = comma < 0 ? text.Length : comma;
                fields.Add(text[at..comma]);
                at = comma + 1;
            }
        }

        return fields;
    }

    private static EngineException BadMount(string text, string problem) =>
        EngineException.Invalid($"invalid argument \"{FlagText.Printable(text)}\" for \"--mount\" flag: {problem}");
}
