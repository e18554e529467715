using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Hull.Linux;
using Hull.Oci.RuntimeSpec;
using Microsoft.Win32.SafeHandles;

namespace Hull.Runtime.Checkpoints;

/// <summary>What a container has from outside, which criu takes as external and which is given anew at a restore; kept beside its
/// images.</summary>
/// <param name="Streams">criu's words for descriptors 0 to 2: <c>pipe:[INODE]</c>, <c>file[MOUNT:INODE]</c> in hexadecimal digits.</param>
/// <param name="Nulls">Those among them that are the null device, and stay it whatever a restore's own streams are.</param>
/// <param name="BindMounts">Mount points of the spec's bind mounts.</param>
/// <param name="Devices">Mount points that show a node of the host's /dev (masks of files among them), each with that node.</param>
internal sealed record CheckpointNotes(
    IReadOnlyList<string> Streams, IReadOnlyList<string> Nulls, IReadOnlyList<string> BindMounts, IReadOnlyDictionary<string, string> Devices)
{
    private const string FileName = "hull-external.json";
    private const int Largest = 1 << 20;

    /// <summary>Looks at a running container.</summary>
    public static CheckpointNotes Of(int pid, Spec spec)
    {
        HashSet<string> bound = [.. (spec.Mounts ?? []).Where(static mount => mount.IsBind).Select(mount => Normalize(mount.Destination))];
        List<string> binds = [];
        Dictionary<string, string> devices = new(StringComparer.Ordinal);
        string table = $"/proc/{pid}/mountinfo";
        using SafeFileHandle file = Files.Open(table, OpenFlags.ReadOnly);
        foreach (string line in Encoding.UTF8.GetString(Files.ReadAll(file, 16 << 20, table)).Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            // proc_pid_mountinfo(5): field 4 is the root within the file system, field 5 the mount point, the type follows " - ".
            string[] fields = line.Split(' ');
            string mounted = MountTable.Unescape(fields[4]);
            if (bound.Contains(mounted))
            {
                binds.Add(mounted);
            }
            else if (fields[3] != "/" && line.Contains(" - devtmpfs ", StringComparison.Ordinal))
            {
                devices[mounted] = "/dev" + MountTable.Unescape(fields[3]);
            }
        }

        HashSet<string> nulls = new(StringComparer.Ordinal);
        return new CheckpointNotes([.. Enumerable.Range(0, 3).Select(number => StreamOf(pid, number, nulls))], [.. nulls], binds, devices);
    }

    /// <summary>As a mount table has it: without a slash at the end.</summary>
    public static string Normalize(string destination) => Init.RootfsSetup.Normalize(destination);

    public void Save(string directory)
    {
        ArrayBufferWriter<byte> text = new(512);
        using (Utf8JsonWriter json = new(text))
        {
            json.WriteStartObject();
            WriteList(json, "streams", Streams);
            WriteList(json, "nulls", Nulls);
            WriteList(json, "bindMounts", BindMounts);
            json.WriteStartObject("devices"u8);
            foreach ((string mounted, string device) in Devices)
            {
                json.WriteString(mounted, device);
            }

            json.WriteEndObject();
            json.WriteEndObject();
        }

        AtomicFile.Write(Path.Combine(directory, FileName), text.WrittenSpan, durable: false);
    }

    /// <exception cref="ContainerException">The directory holds no checkpoint of hull's.</exception>
    public static CheckpointNotes Load(string directory)
    {
        string path = Path.Combine(directory, FileName);
        using SafeFileHandle? file = Files.TryOpenAt(null, path, OpenFlags.ReadOnly, 0, out Errno errno);
        if (file is null)
        {
            throw new ContainerException(ContainerFault.Engine,
                $"--image-path {directory}: no checkpoint of hull's is there: {new SyscallException("open", path, errno).Message}");
        }

        try
        {
            using JsonDocument document = JsonDocument.Parse(Files.ReadAll(file, Largest, path));
            JsonElement json = document.RootElement;
            return new CheckpointNotes(
                ReadList(json, "streams"), ReadList(json, "nulls"), ReadList(json, "bindMounts"),
                json.GetProperty("devices").EnumerateObject().ToDictionary(one => one.Name, one => one.Value.GetString()!, StringComparer.Ordinal));
        }
        catch (Exception error) when (error is JsonException or KeyNotFoundException or InvalidOperationException)
        {
            throw new ContainerException(ContainerFault.Engine, $"{path} is damaged: {error.Message}", error);
        }
    }

    private static string StreamOf(int pid, int number, HashSet<string> nulls)
    {
        string path = $"/proc/{pid}/fd/{number}";
        if (Files.TryReadLink(null, path, out _) is { } target && target.StartsWith("pipe:", StringComparison.Ordinal))
        {
            return target;
        }

        FileMetadata metadata = Files.TryStatAt(null, path, followLinks: true, out Errno errno)
            ?? throw new ContainerException(ContainerFault.Engine, $"descriptor {number} of the container's first process: {errno.Name()} (it must be open to be given anew)");
        string stream = string.Create(CultureInfo.InvariantCulture, $"file[{metadata.MountId:x}:{metadata.Inode:x}]");
        if (metadata is { Type: FileType.CharacterDevice, RawDeviceMajor: 1, RawDeviceMinor: 3 })
        {
            nulls.Add(stream);
        }

        return stream;
    }

    private static void WriteList(Utf8JsonWriter json, string name, IReadOnlyList<string> values)
    {
        json.WriteStartArray(name);
        foreach (string value in values)
        {
            json.WriteStringValue(value);
        }

        json.WriteEndArray();
    }

    private static string[] ReadList(JsonElement json, string name) => [.. json.GetProperty(name).EnumerateArray().Select(one => one.GetString()!)];
}
