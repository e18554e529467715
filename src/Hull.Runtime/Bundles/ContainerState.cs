using System.Buffers;
using System.Text.Json;
using Hull.Oci;
using Hull.Oci.RuntimeSpec;

namespace Hull.Runtime.Bundles;

/// <summary>What the OCI runtime keeps of a container between two calls, in its root directory.</summary>
public sealed record ContainerState
{
    public required string Id { get; init; }
    public required string OciVersion { get; init; }
    /// <summary>Absolute.</summary>
    public required string Bundle { get; init; }
    public required string Rootfs { get; init; }
    public required int Pid { get; init; }
    /// <summary>Start time of the process in clock ticks since boot, proc_pid_stat(5) field 22: tells a reused pid.</summary>
    public required ulong StartTime { get; init; }
    public required string CgroupPath { get; init; }

    /// <summary>The scope whose cgroup that is; null where hull made it itself.</summary>
    public string? SystemdUnit { get; init; }
    public required DateTimeOffset Created { get; init; }
    public IReadOnlyDictionary<string, string>? Annotations { get; init; }

    /// <summary>See <see cref="ContainerRequest.CallersKeyring"/>; holds for further processes too.</summary>
    public bool CallersKeyring { get; init; }

    /// <summary>What start and delete need of them: the bundle may be gone by then.</summary>
    public Oci.RuntimeSpec.Hooks? Hooks { get; init; }

    /// <summary>The document that hooks read and <c>state</c> prints, and that a seccomp listener gets.</summary>
    /// <param name="pid">Null leaves it out.</param>
    public State Document(string status, int? pid) => new()
    {
        OciVersion = OciVersion,
        Id = Id,
        Status = status,
        Pid = pid,
        Bundle = Bundle,
        Annotations = Annotations,
    };
}

/// <summary>The state's wire form. By hand, as <see cref="Oci.RuntimeSpec.SpecReader"/> and for its reason.</summary>
internal static class ContainerStateCodec
{
    public static byte[] Write(ContainerState state)
    {
        ArrayBufferWriter<byte> text = new(512);
        using (Utf8JsonWriter json = new(text, new JsonWriterOptions { Encoder = MinimalJsonEncoder.Instance }))
        {
            json.WriteStartObject();
            json.WriteString("id"u8, state.Id);
            json.WriteString("ociVersion"u8, state.OciVersion);
            json.WriteString("bundle"u8, state.Bundle);
            json.WriteString("rootfs"u8, state.Rootfs);
            json.WriteNumber("pid"u8, state.Pid);
            json.WriteNumber("startTime"u8, state.StartTime);
            json.WriteString("cgroupPath"u8, state.CgroupPath);
            if (state.SystemdUnit is { } unit)
            {
                json.WriteString("systemdUnit"u8, unit);
            }

            json.WriteString("created"u8, state.Created);
            if (state.CallersKeyring)
            {
                json.WriteBoolean("callersKeyring"u8, true);
            }

            if (state.Annotations is { } annotations)
            {
                json.WriteStartObject("annotations"u8);
                foreach ((string name, string value) in annotations)
                {
                    json.WriteString(name, value);
                }

                json.WriteEndObject();
            }

            if (state.Hooks is { } hooks)
            {
                json.WritePropertyName("hooks"u8);
                JsonSerializer.Serialize(json, hooks, RuntimeSpecJson.Default.Hooks);
            }

            json.WriteEndObject();
        }

        return text.WrittenSpan.ToArray();
    }

    /// <exception cref="JsonException">Not what <see cref="Write"/> makes.</exception>
    public static ContainerState Read(ReadOnlyMemory<byte> text)
    {
        using JsonDocument document = JsonDocument.Parse(text);
        JsonElement json = document.RootElement;
        try
        {
            return new ContainerState
            {
                Id = Text(json, "id"),
                OciVersion = Text(json, "ociVersion"),
                Bundle = Text(json, "bundle"),
                Rootfs = Text(json, "rootfs"),
                Pid = json.GetProperty("pid").GetInt32(),
                StartTime = json.GetProperty("startTime").GetUInt64(),
                CgroupPath = Text(json, "cgroupPath"),
                SystemdUnit = json.TryGetProperty("systemdUnit", out _) ? Text(json, "systemdUnit") : null,
                Created = json.GetProperty("created").GetDateTimeOffset(),
                CallersKeyring = json.TryGetProperty("callersKeyring", out JsonElement keyring) && keyring.GetBoolean(),
                Annotations = json.TryGetProperty("annotations", out JsonElement annotations)
                    ? annotations.EnumerateObject().ToDictionary(one => one.Name, one => one.Value.GetString()!, StringComparer.Ordinal)
                    : null,
                Hooks = json.TryGetProperty("hooks", out JsonElement hooks) ? SpecReader.ReadHooks(hooks) : null,
            };
        }
        catch (Exception error) when (error is KeyNotFoundException or InvalidOperationException or FormatException)
        {
            throw new JsonException(error.Message, error);
        }
    }

    private static string Text(JsonElement json, string name) =>
        json.GetProperty(name).GetString() ?? throw new JsonException($"{name} is null");
}
