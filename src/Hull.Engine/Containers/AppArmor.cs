using System.Text;
using Hull.Linux;
using Hull.Runtime;
using Microsoft.Win32.SafeHandles;

namespace Hull.Engine.Containers;

/// <summary>AppArmor as far as a container needs it: is it on, and which profile confines by default.</summary>
internal static class AppArmor
{
    private const string Profiles = "/sys/kernel/security/apparmor/profiles";

    /// <summary>In the order of preference: ours, which is loaded where it is missing, and those that other engines left.</summary>
    private static readonly string[] Defaults = [DefaultAppArmorProfile.Name, "docker-default", "containers-default"];

    /// <summary>The profile for a container that asks for <paramref name="asked"/>, null for the default; ours is loaded where it is the
    /// one and missing.</summary>
    /// <returns>Null where none is asked for and AppArmor is off, or the host has no compiler for our profile and none of the known
    /// ones is loaded: the other walls stand without it.</returns>
    public static string? Prepare(string? asked)
    {
        if (asked is not (null or DefaultAppArmorProfile.Name) || !IsEnabled())
        {
            return asked;
        }

        string? best = LoadedDefault();
        if (best != DefaultAppArmorProfile.Name && DefaultAppArmorProfile.TryLoad())
        {
            best = DefaultAppArmorProfile.Name;
        }

        return asked ?? best;
    }

    /// <summary>For <c>inspect</c>: the profile that confines a container, <c>unconfined</c>, or empty where AppArmor is off.</summary>
    public static string Describe(string? asked, bool privileged) =>
        asked ?? (!IsEnabled() ? "" : privileged ? "unconfined" : LoadedDefault() ?? "unconfined");

    /// <summary>The best of the default profiles that are loaded; null where none is.</summary>
    private static string? LoadedDefault()
    {
        string loaded = ReadText(Profiles);
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
