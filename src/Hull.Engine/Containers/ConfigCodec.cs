using System.Buffers;
using System.Text.Json;
using Hull.Oci;

namespace Hull.Engine.Containers;

/// <summary><c>config.json</c>, read and written by hand: each start writes one and reads one, in two new processes, where
/// the general serializer would first build its metadata (some 2 ms each). A test compares the two, member by member.</summary>
internal static partial class ConfigCodec
{
    public static byte[] Write(ContainerConfig config)
    {
        ArrayBufferWriter<byte> buffer = new(1024);
        using (Utf8JsonWriter json = new(buffer, RecordJson.Options))
        {
            json.WriteStartObject();
            WriteContainerConfig(json, config);
            json.WriteEndObject();
        }

        return buffer.WrittenSpan.ToArray();
    }

    /// <exception cref="JsonException">Not a container's config.</exception>
    public static ContainerConfig Read(ReadOnlySpan<byte> text)
    {
        Utf8JsonReader json = new(text);
        try
        {
            json.Read();
            return ReadContainerConfig(ref json);
        }
        catch (Exception e) when (e is FormatException or InvalidOperationException)
        {
            throw new JsonException($"a field is wrong: {e.Message}", e);
        }
    }

    private static void WriteContainerConfig(Utf8JsonWriter json, ContainerConfig value)
    {
        json.WriteString("id"u8, value.Id.Hex);
        json.WriteString("name"u8, value.Name);
        json.WriteString("created"u8, value.Created);
        json.WriteString("image"u8, value.Image);
        json.WriteString("imageId"u8, value.ImageId.ToString());
        WriteDigests(json, "layers"u8, value.Layers);
        RecordJson.Texts(json, "args"u8, value.Args);
        json.WriteStartObject("payload"u8); WritePayloadConfig(json, value.Payload); json.WriteEndObject();
        json.WriteStartObject("host"u8); WriteHostConfig(json, value.Host); json.WriteEndObject();
        RecordJson.Items(json, "mounts"u8, value.Mounts, WriteMountConfig);
        json.WriteString("hostname"u8, value.Hostname);
    }

    private static ContainerConfig ReadContainerConfig(ref Utf8JsonReader json)
    {
        RecordJson.Begin(ref json);
        ContainerId? id = null;
        string? name = null;
        DateTimeOffset? created = null;
        string? image = null;
        Digest? imageId = null;
        IReadOnlyList<Digest>? layers = null;
        IReadOnlyList<string>? args = null;
        PayloadConfig? payload = null;
        HostConfig? host = null;
        IReadOnlyList<MountConfig>? mounts = null;
        string? hostname = null;
        while (RecordJson.Next(ref json, out Utf8JsonReader key))
        {
            if (key.ValueTextEquals("id"u8)) { id = ContainerId.Parse(RecordJson.Required(ref json)); }
            else if (key.ValueTextEquals("name"u8)) { name = RecordJson.Required(ref json); }
            else if (key.ValueTextEquals("created"u8)) { created = json.GetDateTimeOffset(); }
            else if (key.ValueTextEquals("image"u8)) { image = RecordJson.Required(ref json); }
            else if (key.ValueTextEquals("imageId"u8)) { imageId = Digest.Parse(RecordJson.Required(ref json)); }
            else if (key.ValueTextEquals("layers"u8)) { layers = RecordJson.Items(ref json, static (ref Utf8JsonReader item) => Digest.Parse(RecordJson.Required(ref item))); }
            else if (key.ValueTextEquals("args"u8)) { args = RecordJson.Texts(ref json); }
            else if (key.ValueTextEquals("payload"u8)) { payload = ReadPayloadConfig(ref json); }
            else if (key.ValueTextEquals("host"u8)) { host = ReadHostConfig(ref json); }
            else if (key.ValueTextEquals("mounts"u8)) { mounts = RecordJson.Items(ref json, ReadMountConfig); }
            else if (key.ValueTextEquals("hostname"u8)) { hostname = RecordJson.Required(ref json); }
            else { json.Skip(); }
        }

        return new ContainerConfig
        {
            Id = id ?? throw Missing("id"),
            Name = name ?? throw Missing("name"),
            Created = created ?? throw Missing("created"),
            Image = image ?? throw Missing("image"),
            ImageId = imageId ?? throw Missing("imageId"),
            Layers = layers ?? throw Missing("layers"),
            Args = args ?? throw Missing("args"),
            Payload = payload ?? throw Missing("payload"),
            Host = host ?? throw Missing("host"),
            Mounts = mounts,
            Hostname = hostname ?? "",
        };
    }

    private static void WritePayloadConfig(Utf8JsonWriter json, PayloadConfig value)
    {
        RecordJson.Texts(json, "entrypoint"u8, value.Entrypoint);
        RecordJson.Texts(json, "command"u8, value.Command);
        RecordJson.Texts(json, "env"u8, value.Env);
        RecordJson.Text(json, "workingDirectory"u8, value.WorkingDirectory);
        RecordJson.Text(json, "user"u8, value.User);
        RecordJson.Text(json, "hostname"u8, value.Hostname);
        RecordJson.Text(json, "domainname"u8, value.Domainname);
        RecordJson.Map(json, "labels"u8, value.Labels);
        RecordJson.Flag(json, "tty"u8, value.Tty);
        RecordJson.Flag(json, "openStdin"u8, value.OpenStdin);
        RecordJson.Flag(json, "stdinOnce"u8, value.StdinOnce);
        RecordJson.Flag(json, "attachStdin"u8, value.AttachStdin);
        RecordJson.Flag(json, "attachStdout"u8, value.AttachStdout);
        RecordJson.Flag(json, "attachStderr"u8, value.AttachStderr);
        RecordJson.Text(json, "stopSignal"u8, value.StopSignal);
        RecordJson.Optional(json, "stopTimeout"u8, value.StopTimeout);
        RecordJson.Texts(json, "volumes"u8, value.Volumes);
        RecordJson.Texts(json, "exposedPorts"u8, value.ExposedPorts);
    }

    private static PayloadConfig ReadPayloadConfig(ref Utf8JsonReader json)
    {
        RecordJson.Begin(ref json);
        IReadOnlyList<string>? entrypoint = null;
        IReadOnlyList<string>? command = null;
        IReadOnlyList<string>? env = null;
        string? workingDirectory = null;
        string? user = null;
        string? hostname = null;
        string? domainname = null;
        IReadOnlyDictionary<string, string>? labels = null;
        bool tty = false;
        bool openStdin = false;
        bool stdinOnce = false;
        bool attachStdin = false;
        bool attachStdout = false;
        bool attachStderr = false;
        string? stopSignal = null;
        int? stopTimeout = null;
        IReadOnlyList<string>? volumes = null;
        IReadOnlyList<string>? exposedPorts = null;
        while (RecordJson.Next(ref json, out Utf8JsonReader key))
        {
            if (key.ValueTextEquals("entrypoint"u8)) { entrypoint = RecordJson.Texts(ref json); }
            else if (key.ValueTextEquals("command"u8)) { command = RecordJson.Texts(ref json); }
            else if (key.ValueTextEquals("env"u8)) { env = RecordJson.Texts(ref json); }
            else if (key.ValueTextEquals("workingDirectory"u8)) { workingDirectory = json.GetString(); }
            else if (key.ValueTextEquals("user"u8)) { user = json.GetString(); }
            else if (key.ValueTextEquals("hostname"u8)) { hostname = json.GetString(); }
            else if (key.ValueTextEquals("domainname"u8)) { domainname = json.GetString(); }
            else if (key.ValueTextEquals("labels"u8)) { labels = RecordJson.Map(ref json); }
            else if (key.ValueTextEquals("tty"u8)) { tty = json.GetBoolean(); }
            else if (key.ValueTextEquals("openStdin"u8)) { openStdin = json.GetBoolean(); }
            else if (key.ValueTextEquals("stdinOnce"u8)) { stdinOnce = json.GetBoolean(); }
            else if (key.ValueTextEquals("attachStdin"u8)) { attachStdin = json.GetBoolean(); }
            else if (key.ValueTextEquals("attachStdout"u8)) { attachStdout = json.GetBoolean(); }
            else if (key.ValueTextEquals("attachStderr"u8)) { attachStderr = json.GetBoolean(); }
            else if (key.ValueTextEquals("stopSignal"u8)) { stopSignal = json.GetString(); }
            else if (key.ValueTextEquals("stopTimeout"u8)) { stopTimeout = json.GetInt32(); }
            else if (key.ValueTextEquals("volumes"u8)) { volumes = RecordJson.Texts(ref json); }
            else if (key.ValueTextEquals("exposedPorts"u8)) { exposedPorts = RecordJson.Texts(ref json); }
            else { json.Skip(); }
        }

        return new PayloadConfig
        {
            Entrypoint = entrypoint,
            Command = command,
            Env = env,
            WorkingDirectory = workingDirectory,
            User = user,
            Hostname = hostname,
            Domainname = domainname,
            Labels = labels,
            Tty = tty,
            OpenStdin = openStdin,
            StdinOnce = stdinOnce,
            AttachStdin = attachStdin,
            AttachStdout = attachStdout,
            AttachStderr = attachStderr,
            StopSignal = stopSignal,
            StopTimeout = stopTimeout,
            Volumes = volumes,
            ExposedPorts = exposedPorts,
        };
    }

    private static void WriteDigests(Utf8JsonWriter json, ReadOnlySpan<byte> key, IReadOnlyList<Digest> digests)
    {
        json.WriteStartArray(key);
        for (int i = 0; i < digests.Count; i++)
        {
            json.WriteStringValue(digests[i].ToString());
        }

        json.WriteEndArray();
    }

    private static JsonException Missing(string key) => new($"{key} is missing");
}
