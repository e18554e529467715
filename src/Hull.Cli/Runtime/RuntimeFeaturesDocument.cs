using System.Buffers;
using System.Text.Json;
using Hull.Cli.Commands;
using Hull.Engine.Containers;
using Hull.Runtime.Bundles;

namespace Hull.Cli.Runtime;

/// <summary><c>hull runtime features</c>: the document of runtime-spec features.md.</summary>
internal static class RuntimeFeaturesDocument
{
    /// <summary>The oldest version whose documents mean the same here.</summary>
    private const string OldestVersion = "1.0.0";

    public static ReadOnlySpan<byte> Text()
    {
        ArrayBufferWriter<byte> text = new(8192);
        using (Utf8JsonWriter json = new(text, new JsonWriterOptions { Indented = true }))
        {
            json.WriteStartObject();
            json.WriteString("ociVersionMin"u8, OldestVersion);
            json.WriteString("ociVersionMax"u8, SpecDefaults.OciVersion);
            WriteList(json, "hooks", RuntimeFeatures.Hooks);
            WriteList(json, "mountOptions", RuntimeFeatures.MountOptions);
            WriteLinux(json);
            json.WriteStartObject("annotations"u8);
            json.WriteString("hull.version"u8, VersionCommand.Version);
            json.WriteString("hull.commit"u8, VersionCommand.Build());
            json.WriteEndObject();
            // No annotation changes what hull does.
            WriteList(json, "potentiallyUnsafeConfigAnnotations", []);
            json.WriteEndObject();
        }

        text.Write("\n"u8);
        return text.WrittenSpan;
    }

    private static void WriteLinux(Utf8JsonWriter json)
    {
        json.WriteStartObject("linux"u8);
        WriteList(json, "namespaces", RuntimeFeatures.Namespaces);
        WriteList(json, "capabilities", RuntimeFeatures.Capabilities);
        WriteFlags(json, "cgroup", ("v1", true), ("v2", true), ("systemd", true), ("systemdUser", false), ("rdma", true));
        json.WriteStartObject("seccomp"u8);
        json.WriteBoolean("enabled"u8, true);
        WriteList(json, "actions", RuntimeFeatures.SeccompActions);
        WriteList(json, "operators", RuntimeFeatures.SeccompOperators);
        WriteList(json, "archs", RuntimeFeatures.SeccompArchitectures);
        WriteList(json, "knownFlags", RuntimeFeatures.SeccompFlags);
        WriteList(json, "supportedFlags", RuntimeFeatures.SeccompFlags);
        json.WriteEndObject();
        WriteFlags(json, "apparmor", ("enabled", true));
        WriteFlags(json, "selinux", ("enabled", true));
        WriteFlags(json, "intelRdt", ("enabled", false));
        json.WriteStartObject("mountExtensions"u8);
        WriteFlags(json, "idmap", ("enabled", true));
        json.WriteEndObject();
        WriteFlags(json, "netDevices", ("enabled", false));
        json.WriteEndObject();
    }

    private static void WriteList(Utf8JsonWriter json, string name, IEnumerable<string> values)
    {
        json.WriteStartArray(name);
        foreach (string value in values)
        {
            json.WriteStringValue(value);
        }

        json.WriteEndArray();
    }

    private static void WriteFlags(Utf8JsonWriter json, string name, params ReadOnlySpan<(string Name, bool Value)> flags)
    {
        json.WriteStartObject(name);
        foreach ((string flag, bool value) in flags)
        {
            json.WriteBoolean(flag, value);
        }

        json.WriteEndObject();
    }
}
