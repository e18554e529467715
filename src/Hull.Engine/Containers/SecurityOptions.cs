using System.Text;
using Hull.Linux;
using Hull.Oci;
using Microsoft.Win32.SafeHandles;

namespace Hull.Engine.Containers;

/// <summary>--security-opt, read.</summary>
public sealed record SecurityOptions
{
    private const int LargestProfile = 16 << 20;

    public bool NoNewPrivileges { get; init; }
    /// <summary>The default filter; false for unconfined and for <see cref="SeccompProfile"/>.</summary>
    public bool DefaultSeccomp { get; init; } = true;
    /// <summary>The text of a profile of the user's.</summary>
    public string? SeccompProfile { get; init; }
    /// <summary>A profile's name; null: the default; <c>unconfined</c>.</summary>
    public string? AppArmor { get; init; }
    /// <summary>No masked and no read-only paths.</summary>
    public bool SystemPathsUnconfined { get; init; }

    /// <summary>Replaces the path of a <c>seccomp=FILE</c> by the file's text: a record must not depend on a file that may
    /// change, and a profile sent to an API comes as text. For the front end that runs beside the user's files.</summary>
    /// <exception cref="EngineException">Invalid: the file cannot be read.</exception>
    public static IReadOnlyList<string> ReadProfiles(IReadOnlyList<string> options, string? currentDirectory = null)
    {
        string[] result = new string[options.Count];
        for (int i = 0; i < result.Length; i++)
        {
            result[i] = options[i];
            (string key, string value) = Split(options[i]);
            if (key == "seccomp" && value is not ("unconfined" or "builtin" or "default") && !value.TrimStart().StartsWith('{'))
            {
                string path = value.StartsWith('/') ? value : Path.Combine(currentDirectory ?? Environment.CurrentDirectory, value);
                using SafeFileHandle? file = Files.TryOpenAt(null, path, OpenFlags.ReadOnly, 0, out Errno errno);
                if (file is null)
                {
                    throw EngineException.Invalid($"opening seccomp profile ({FlagText.Printable(value)}) failed: {new SyscallException("open", path, errno).Message}");
                }

                result[i] = "seccomp=" + Encoding.UTF8.GetString(Files.ReadAll(file, LargestProfile, path));
            }
        }

        return result;
    }

    /// <exception cref="EngineException">Invalid, with Docker's words.</exception>
    public static SecurityOptions Parse(IReadOnlyList<string>? options)
    {
        SecurityOptions result = new();
        foreach (string option in options ?? [])
        {
            (string key, string value) = Split(option);
            result = key switch
            {
                "no-new-privileges" => result with { NoNewPrivileges = Boolean(value, option) },
                "seccomp" when value == "unconfined" => result with { DefaultSeccomp = false, SeccompProfile = null },
                "seccomp" when value is "builtin" or "default" => result with { DefaultSeccomp = true, SeccompProfile = null },
                "seccomp" when value.Length > 0 => result with { DefaultSeccomp = false, SeccompProfile = value },
                "apparmor" when value.Length > 0 && !FlagText.HasControl(value) => result with { AppArmor = value },
                "systempaths" when value == "unconfined" => result with { SystemPathsUnconfined = true },
                // SELinux: without it on the host docker ignores labels; with it, hull does not confine by it yet and says so.
                "label" when value == "disable" || !Selinux.IsEnabled() => result,
                "label" => throw EngineException.Invalid("--security-opt label: SELinux labels are not supported by this version of hull (label=disable runs without)"),
                _ => throw EngineException.Invalid($"invalid --security-opt 2: \"{FlagText.Printable(option)}\""),
            };
        }

        return result;
    }

    private static bool Boolean(string value, string option) => value switch
    {
        "" or "true" or "1" => true,
        "false" or "0" => false,
        _ => throw EngineException.Invalid($"invalid --security-opt 2: \"{FlagText.Printable(option)}\""),
    };

    /// <summary>Docker still takes the colon of its first versions.</summary>
    private static (string Key, string Value) Split(string option)
    {
        int at = option.IndexOf('=', StringComparison.Ordinal);
        int colon = option.IndexOf(':', StringComparison.Ordinal);
        at = at < 0 || (colon >= 0 && colon < at) ? colon : at;
        return at < 0 ? (option, "") : (option[..at], option[(at + 1)..]);
    }
}
