using System.Text.Json;
using Hull.Oci;

namespace Hull.Engine.Containers;

/// <summary>Mounts, devices, limits.</summary>
internal static partial class ConfigCodec
{
    private static void WriteMountConfig(Utf8JsonWriter json, MountConfig value)
    {
        json.WriteNumber("kind"u8, (int)value.Kind);
        json.WriteString("target"u8, value.Target);
        RecordJson.Text(json, "source"u8, value.Source);
        RecordJson.Number(json, "origin"u8, (int)value.Origin);
        RecordJson.Flag(json, "readOnly"u8, value.ReadOnly);
        RecordJson.Text(json, "propagation"u8, value.Propagation);
        RecordJson.Flag(json, "nonRecursive"u8, value.NonRecursive);
        RecordJson.Flag(json, "noCopy"u8, value.NoCopy);
        RecordJson.Text(json, "subpath"u8, value.Subpath);
        RecordJson.Flag(json, "anonymous"u8, value.Anonymous);
        RecordJson.Optional(json, "tmpfsSize"u8, value.TmpfsSize);
        RecordJson.Optional(json, "tmpfsMode"u8, value.TmpfsMode);
        RecordJson.Texts(json, "tmpfsOptions"u8, value.TmpfsOptions);
        RecordJson.Text(json, "mode"u8, value.Mode);
    }

    private static MountConfig ReadMountConfig(ref Utf8JsonReader json)
    {
        RecordJson.Begin(ref json);
        MountKind? kind = null;
        string? target = null;
        string? source = null;
        MountOrigin origin = default;
        bool readOnly = false;
        string? propagation = null;
        bool nonRecursive = false;
        bool noCopy = false;
        string? subpath = null;
        bool anonymous = false;
        long? tmpfsSize = null;
        uint? tmpfsMode = null;
        IReadOnlyList<string>? tmpfsOptions = null;
        string? mode = null;
        while (RecordJson.Next(ref json, out Utf8JsonReader key))
        {
            if (key.ValueTextEquals("kind"u8)) { kind = (MountKind)json.GetInt32(); }
            else if (key.ValueTextEquals("target"u8)) { target = RecordJson.Required(ref json); }
            else if (key.ValueTextEquals("source"u8)) { source = json.GetString(); }
            else if (key.ValueTextEquals("origin"u8)) { origin = (MountOrigin)json.GetInt32(); }
            else if (key.ValueTextEquals("readOnly"u8)) { readOnly = json.GetBoolean(); }
            else if (key.ValueTextEquals("propagation"u8)) { propagation = json.GetString(); }
            else if (key.ValueTextEquals("nonRecursive"u8)) { nonRecursive = json.GetBoolean(); }
            else if (key.ValueTextEquals("noCopy"u8)) { noCopy = json.GetBoolean(); }
            else if (key.ValueTextEquals("subpath"u8)) { subpath = json.GetString(); }
            else if (key.ValueTextEquals("anonymous"u8)) { anonymous = json.GetBoolean(); }
            else if (key.ValueTextEquals("tmpfsSize"u8)) { tmpfsSize = json.GetInt64(); }
            else if (key.ValueTextEquals("tmpfsMode"u8)) { tmpfsMode = json.GetUInt32(); }
            else if (key.ValueTextEquals("tmpfsOptions"u8)) { tmpfsOptions = RecordJson.Texts(ref json); }
            else if (key.ValueTextEquals("mode"u8)) { mode = json.GetString(); }
            else { json.Skip(); }
        }

        return new MountConfig
        {
            Kind = kind ?? throw Missing("kind"),
            Target = target ?? throw Missing("target"),
            Source = source,
            Origin = origin,
            ReadOnly = readOnly,
            Propagation = propagation,
            NonRecursive = nonRecursive,
            NoCopy = noCopy,
            Subpath = subpath,
            Anonymous = anonymous,
            TmpfsSize = tmpfsSize,
            TmpfsMode = tmpfsMode,
            TmpfsOptions = tmpfsOptions,
            Mode = mode,
        };
    }

    private static void WriteDeviceConfig(Utf8JsonWriter json, DeviceConfig value)
    {
        json.WriteString("hostPath"u8, value.HostPath);
        json.WriteString("containerPath"u8, value.ContainerPath);
        json.WriteString("permissions"u8, value.Permissions);
    }

    private static DeviceConfig ReadDeviceConfig(ref Utf8JsonReader json)
    {
        RecordJson.Begin(ref json);
        string? hostPath = null;
        string? containerPath = null;
        string? permissions = null;
        while (RecordJson.Next(ref json, out Utf8JsonReader key))
        {
            if (key.ValueTextEquals("hostPath"u8)) { hostPath = RecordJson.Required(ref json); }
            else if (key.ValueTextEquals("containerPath"u8)) { containerPath = RecordJson.Required(ref json); }
            else if (key.ValueTextEquals("permissions"u8)) { permissions = RecordJson.Required(ref json); }
            else { json.Skip(); }
        }

        return new DeviceConfig
        {
            HostPath = hostPath ?? throw Missing("hostPath"),
            ContainerPath = containerPath ?? throw Missing("containerPath"),
            Permissions = permissions ?? throw Missing("permissions"),
        };
    }

    private static void WriteUlimit(Utf8JsonWriter json, Ulimit value)
    {
        json.WriteString("name"u8, value.Name);
        json.WriteNumber("soft"u8, value.Soft);
        json.WriteNumber("hard"u8, value.Hard);
    }

    private static Ulimit ReadUlimit(ref Utf8JsonReader json)
    {
        RecordJson.Begin(ref json);
        string? name = null;
        long? soft = null;
        long? hard = null;
        while (RecordJson.Next(ref json, out Utf8JsonReader key))
        {
            if (key.ValueTextEquals("name"u8)) { name = RecordJson.Required(ref json); }
            else if (key.ValueTextEquals("soft"u8)) { soft = json.GetInt64(); }
            else if (key.ValueTextEquals("hard"u8)) { hard = json.GetInt64(); }
            else { json.Skip(); }
        }

        return new Ulimit
        {
            Name = name ?? throw Missing("name"),
            Soft = soft ?? throw Missing("soft"),
            Hard = hard ?? throw Missing("hard"),
        };
    }

    private static void WriteDeviceRate(Utf8JsonWriter json, DeviceRate value)
    {
        json.WriteString("path"u8, value.Path);
        json.WriteNumber("rate"u8, value.Rate);
    }

    private static DeviceRate ReadDeviceRate(ref Utf8JsonReader json)
    {
        RecordJson.Begin(ref json);
        string? path = null;
        long? rate = null;
        while (RecordJson.Next(ref json, out Utf8JsonReader key))
        {
            if (key.ValueTextEquals("path"u8)) { path = RecordJson.Required(ref json); }
            else if (key.ValueTextEquals("rate"u8)) { rate = json.GetInt64(); }
            else { json.Skip(); }
        }

        return new DeviceRate
        {
            Path = path ?? throw Missing("path"),
            Rate = rate ?? throw Missing("rate"),
        };
    }
}
