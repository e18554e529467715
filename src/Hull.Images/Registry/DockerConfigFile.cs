using System.Text.Json;
using System.Text.Json.Nodes;
using Hull.Linux;
using Hull.Oci;

namespace Hull.Images.Registry;

/// <summary>docker's config.json, which others read and write too: what hull does not know stays as it is, in its order. Changes are
/// made one at a time among hull's processes, and a reader sees the old file or the new one.</summary>
/// <param name="directory">Made, mode 0700, by the first change.</param>
internal sealed class DockerConfigFile(string directory)
{
    private const uint OwnerOnly = 0x180;
    private const uint OwnerOnlyDirectory = 0x1c0;

    public string Path { get; } = System.IO.Path.Combine(directory, "config.json");

    /// <summary>What concerns registries; empty where there is no file.</summary>
    /// <exception cref="RegistryException">Configuration: malformed.</exception>
    public DockerConfigBody Read() => ConfigurationFile.Read(Path, RegistryJson.Default.DockerConfigBody) ?? new DockerConfigBody();

    /// <summary>Changes the document. The file is its owner's alone afterwards (mode 0600), whatever it was.</summary>
    /// <exception cref="RegistryException">Configuration: the file is no JSON object, or a member is of another kind.</exception>
    /// <exception cref="SyscallException">Cannot be written.</exception>
    public void Change(Action<JsonObject> change)
    {
        Files.MakeDirectories(directory, OwnerOnlyDirectory);

        // A link to a file elsewhere stays a link: people keep their configuration in one place.
        string target = new FileInfo(Path).LinkTarget is null ? Path : File.ResolveLinkTarget(Path, returnFinalTarget: true)!.FullName;
        string parent = System.IO.Path.GetDirectoryName(System.IO.Path.GetFullPath(target))!;
        using FileLock held = FileLock.AcquireDirectory(parent) ?? throw new SyscallException("open", parent, Errno.ENOENT);
        // A killed change leaves a temporary file with secrets.
        AtomicFile.Sweep(parent, System.IO.Path.GetFileName(target));
        FileMetadata? before = Files.TryStatAt(null, target, followLinks: false, out _);
        JsonObject document = Parse();
        try
        {
            change(document);
        }
        catch (Exception e) when (e is InvalidOperationException or ArgumentException)
        {
            throw new RegistryException(RegistryError.Configuration, $"{Path}: \"auths\" is not an object of entries", e);
        }

        AtomicFile.Write(target, Format(document), durable: true, OwnerOnly);
        if (before is { } owner)
        {
            // Written by root through sudo it stays the user's.
            Files.ChangeOwner(null, target, owner.UserId, owner.GroupId);
        }
    }

    private JsonObject Parse()
    {
        try
        {
            return ConfigurationFile.ReadBytes(Path) is not { } content ? []
                : JsonNode.Parse(content) as JsonObject
                ?? throw new RegistryException(RegistryError.Configuration, $"{Path}: expected a JSON object");
        }
        catch (JsonException e)
        {
            throw ConfigurationFile.Malformed(Path, e);
        }
    }

    /// <summary>docker's own layout: tabs.</summary>
    private static byte[] Format(JsonObject document)
    {
        using MemoryStream bytes = new();
        JsonWriterOptions options = new() { Indented = true, IndentCharacter = '\t', IndentSize = 1, Encoder = MinimalJsonEncoder.Instance };
        using (Utf8JsonWriter writer = new(bytes, options))
        {
            document.WriteTo(writer);
        }

        return bytes.ToArray();
    }
}
