using System.Text;
using Hull.Linux;
using Microsoft.Win32.SafeHandles;

namespace Hull.Engine.Containers;

/// <summary>AppArmor as far as a container needs it: is it on, and which profile confines by default.</summary>
internal static class AppArmor
{
    /// <summary>In the order of preference. A profile is text that apparmor_parser(8) compiles; loading it is the
    /// administrator's or a package's doing (scripts of hull or docker), here it is only chosen.</summary>
    private static readonly string[] Defaults = ["hull-default", "docker-default", "containers-default"];

    /// <summary>Null where AppArmor is off or none of the known profiles is loaded.</summary>
    public static string? DefaultProfile()
    {
        if (!IsEnabled())
        {
            return null;
        }

        string loaded = ReadText("/sys/kernel/security/apparmor/profiles");
        foreach (string name in Defaults)
        {
            // Lines are "name (enforce)"; podman's and docker's newer profiles carry a version after the name.
            int at = loaded.StartsWith(name, StringComparison.Ordinal) ? 0 : loaded.IndexOf("\n" + name, StringComparison.Ordinal) + 1;
            if (at > 0 || loaded.StartsWith(name, StringComparison.Ordinal))
            {
                int end = loaded.IndexOf(" (", at, StringComparison.Ordinal);
                return end < 0 ? null : loaded[at..end];
            }
        }

        return null;
    }

    public static bool IsEnabled() => ReadText("/sys/module/apparmor/parameters/enabled").StartsWith('Y');

    private static string ReadText(string path)
    {
        using SafeFileHandle? file = Files.TryOpenAt(null, path, OpenFlags.ReadOnly, 0, out _);
        return file is null ? "" : Encoding.UTF8.GetString(Files.ReadAll(file, 16 << 20, path));
    }
}
