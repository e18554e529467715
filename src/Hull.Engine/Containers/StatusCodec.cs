using System.Buffers;
using System.Text.Json;
using Hull.Oci;

namespace Hull.Engine.Containers;

/// <summary><c>status.json</c>, read and written by hand: a listing reads one for each container, and a start three times,
/// where the general serializer's metadata alone would cost more than the work.</summary>
internal static class StatusCodec
{
    /// <summary>Far above any real status; labels are the only part without a bound of its own.</summary>
    public const int MaxBytes = 4 << 20;

    public static byte[] Write(ContainerStatus status)
    {
        ArrayBufferWriter<byte> buffer = new(512);
        using (Utf8JsonWriter json = new(buffer, RecordJson.Options))
        {
            json.WriteStartObject();
            json.WriteString("id"u8, status.Id.Hex);
            json.WriteString("name"u8, status.Name);
            json.WriteString("image"u8, status.Image);
            json.WriteString("imageId"u8, status.ImageId.ToString());
            json.WriteString("command"u8, status.Command);
            json.WriteString("created"u8, status.Created);
            json.WriteString("state"u8, status.State.Name());
            Number(json, "pid"u8, status.Pid);
            Number(json, "monitorPid"u8, status.MonitorPid);
            Number(json, "exitCode"u8, status.ExitCode);
            Time(json, "started"u8, status.Started);
            Time(json, "finished"u8, status.Finished);
            Text(json, "error"u8, status.Error);
            Flag(json, "oomKilled"u8, status.OomKilled);
            Text(json, "oomLimit"u8, status.OomLimit);
            Text(json, "ports"u8, status.Ports);
            Number(json, "restartCount"u8, status.RestartCount);
            Flag(json, "stoppedByUser"u8, status.StoppedByUser);
            Flag(json, "autoRemove"u8, status.AutoRemove);
            if (status.Labels is { Count: > 0 } labels)
            {
                json.WriteStartObject("labels"u8);
                foreach (KeyValuePair<string, string> label in labels)
                {
                    json.WriteString(label.Key, label.Value);
                }

                json.WriteEndObject();
            }

            json.WriteEndObject();
        }

        return buffer.WrittenSpan.ToArray();
    }

    /// <exception cref="JsonException">Not a status.</exception>
    public static ContainerStatus Read(ReadOnlySpan<byte> text)
    {
        Utf8JsonReader json = new(text);
        if (!json.Read() || json.TokenType != JsonTokenType.StartObject)
        {
            throw new JsonException("a status is an object");
        }

        ContainerId? id = null;
        Digest? imageId = null;
        ContainerState? state = null;
        string? name = null;
        string image = "";
        string command = "";
        string? error = null;
        string? oomLimit = null;
        string? ports = null;
        DateTimeOffset created = default;
        DateTimeOffset? started = null;
        DateTimeOffset? finished = null;
        int pid = 0;
        int monitorPid = 0;
        int exitCode = 0;
        int restartCount = 0;
        bool oomKilled = false;
        bool stoppedByUser = false;
        bool autoRemove = false;
        Dictionary<string, string>? labels = null;
        try
        {
            while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
            {
                // The reader's own comparison: no string is made of a key.
                if (json.ValueTextEquals("id"u8)) { json.Read(); id = ContainerId.Parse(json.GetString() ?? ""); }
                else if (json.ValueTextEquals("name"u8)) { json.Read(); name = json.GetString(); }
                else if (json.ValueTextEquals("image"u8)) { json.Read(); image = json.GetString() ?? ""; }
                else if (json.ValueTextEquals("imageId"u8)) { json.Read(); imageId = Digest.Parse(json.GetString() ?? ""); }
                else if (json.ValueTextEquals("command"u8)) { json.Read(); command = json.GetString() ?? ""; }
                else if (json.ValueTextEquals("created"u8)) { json.Read(); created = json.GetDateTimeOffset(); }
                else if (json.ValueTextEquals("state"u8)) { json.Read(); state = State(json.GetString()); }
                else if (json.ValueTextEquals("pid"u8)) { json.Read(); pid = json.GetInt32(); }
                else if (json.ValueTextEquals("monitorPid"u8)) { json.Read(); monitorPid = json.GetInt32(); }
                else if (json.ValueTextEquals("exitCode"u8)) { json.Read(); exitCode = json.GetInt32(); }
                else if (json.ValueTextEquals("started"u8)) { json.Read(); started = json.GetDateTimeOffset(); }
                else if (json.ValueTextEquals("finished"u8)) { json.Read(); finished = json.GetDateTimeOffset(); }
                else if (json.ValueTextEquals("error"u8)) { json.Read(); error = json.GetString(); }
                else if (json.ValueTextEquals("oomKilled"u8)) { json.Read(); oomKilled = json.GetBoolean(); }
                else if (json.ValueTextEquals("oomLimit"u8)) { json.Read(); oomLimit = json.GetString(); }
                else if (json.ValueTextEquals("ports"u8)) { json.Read(); ports = json.GetString(); }
                else if (json.ValueTextEquals("restartCount"u8)) { json.Read(); restartCount = json.GetInt32(); }
                else if (json.ValueTextEquals("stoppedByUser"u8)) { json.Read(); stoppedByUser = json.GetBoolean(); }
                else if (json.ValueTextEquals("autoRemove"u8)) { json.Read(); autoRemove = json.GetBoolean(); }
                else if (json.ValueTextEquals("labels"u8)) { json.Read(); labels = Labels(ref json); }
                else { json.Read(); json.Skip(); }
            }
        }
        catch (Exception e) when (e is FormatException or InvalidOperationException)
        {
            throw new JsonException($"a status field is wrong: {e.Message}", e);
        }

        return new ContainerStatus
        {
            Id = id ?? throw new JsonException("a status without id"),
            Name = name ?? throw new JsonException("a status without name"),
            ImageId = imageId ?? throw new JsonException("a status without image id"),
            State = state ?? throw new JsonException("a status without state"),
            Image = image,
            Command = command,
            Created = created,
            Pid = pid,
            MonitorPid = monitorPid,
            ExitCode = exitCode,
            Started = started,
            Finished = finished,
            Error = error,
            OomKilled = oomKilled,
            OomLimit = oomLimit,
            Ports = ports,
            RestartCount = restartCount,
            StoppedByUser = stoppedByUser,
            AutoRemove = autoRemove,
            Labels = labels,
        };
    }

    private static Dictionary<string, string> Labels(ref Utf8JsonReader json)
    {
        Dictionary<string, string> labels = new(StringComparer.Ordinal);
        while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
        {
            string key = json.GetString()!;
            json.Read();
            labels[key] = json.GetString() ?? "";
        }

        return labels;
    }

    private static ContainerState State(string? text) =>
        ContainerStateNames.TryParse(text, out ContainerState state) ? state : throw new FormatException("unknown state");

    private static void Number(Utf8JsonWriter json, ReadOnlySpan<byte> key, int value)
    {
        if (value != 0)
        {
            json.WriteNumber(key, value);
        }
    }

    private static void Flag(Utf8JsonWriter json, ReadOnlySpan<byte> key, bool value)
    {
        if (value)
        {
            json.WriteBoolean(key, value);
        }
    }

    private static void Text(Utf8JsonWriter json, ReadOnlySpan<byte> key, string? value)
    {
        if (value is not null)
        {
            json.WriteString(key, value);
        }
    }

    private static void Time(Utf8JsonWriter json, ReadOnlySpan<byte> key, DateTimeOffset? value)
    {
        if (value is { } time)
        {
            json.WriteString(key, time);
        }
    }
}
