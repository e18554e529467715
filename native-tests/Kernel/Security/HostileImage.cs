using System.Formats.Tar;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Hull.Kernel.Tests.Harness;

namespace Hull.Kernel.Tests.Security;

/// <summary>The busybox fixture with one more layer, which holds what an attacker puts there, and with his configuration.</summary>
public sealed class HostileImage(HullStore store, string name)
{
    private readonly List<PaxTarEntry> _entries = [];
    private readonly Dictionary<string, JsonNode> _config = [];

    public HostileImage Link(string path, string target) => Add(TarEntryType.SymbolicLink, path, entry => entry.LinkName = target);

    public HostileImage Folder(string path) => Add(TarEntryType.Directory, path, entry => entry.Mode = (UnixFileMode)0x1ed);

    public HostileImage Fifo(string path) => Add(TarEntryType.Fifo, path, _ => { });

    public HostileImage Text(string path, string text, bool executable = false) =>
        Add(TarEntryType.RegularFile, path, entry =>
        {
            entry.DataStream = new MemoryStream(Encoding.UTF8.GetBytes(text));
            entry.Mode = (UnixFileMode)(executable ? 0x1ed : 0x1a4);
        });

    public HostileImage Binary(string path, string source) =>
        Add(TarEntryType.RegularFile, path, entry =>
        {
            entry.DataStream = new MemoryStream(File.ReadAllBytes(source));
            entry.Mode = (UnixFileMode)0x1ed;
        });

    /// <summary>Sets a member of the image's <c>config</c>.</summary>
    public HostileImage Config(string member, JsonNode value)
    {
        _config[member] = value;
        return this;
    }

    /// <summary>Loads the image and returns its name.</summary>
    public string Load()
    {
        string path = Path.Combine(store.Scratch, name + ".tar");
        Write(path);
        store.Run(60, "load", "-i", path).Ok();
        File.Delete(path);
        return name;
    }

    /// <summary>Loads the image; hull may refuse it, with a clear error.</summary>
    public string? TryLoad()
    {
        string path = Path.Combine(store.Scratch, name + ".tar");
        Write(path);
        RunResult result = store.Run(60, "load", "-i", path);
        File.Delete(path);
        if (result.ExitCode == 0)
        {
            return name;
        }

        result.Fails(1);
        return null;
    }

    private HostileImage Add(TarEntryType type, string path, Action<PaxTarEntry> fill)
    {
        PaxTarEntry entry = new(type, path) { ModificationTime = DateTimeOffset.UnixEpoch };
        fill(entry);
        _entries.Add(entry);
        return this;
    }

    private void Write(string path)
    {
        Dictionary<string, byte[]> files = [];
        using (TarReader reader = new(File.OpenRead(Repository.Fixture("busybox"))))
        {
            while (reader.GetNextEntry(copyData: true) is TarEntry entry)
            {
                MemoryStream content = new();
                entry.DataStream?.CopyTo(content);
                files[entry.Name] = content.ToArray();
            }
        }

        JsonNode manifest = JsonNode.Parse(files["manifest.json"])!;
        string configName = manifest[0]!["Config"]!.GetValue<string>();
        JsonNode config = JsonNode.Parse(files[configName])!;

        MemoryStream layer = new();
        using (TarWriter writer = new(layer, TarEntryFormat.Pax, leaveOpen: true))
        {
            _entries.ForEach(writer.WriteEntry);
        }

        string layerName = Hex(layer.ToArray()) + ".tar";
        files[layerName] = layer.ToArray();
        config["rootfs"]!["diff_ids"]!.AsArray().Add("sha256:" + Hex(layer.ToArray()));
        config["history"]!.AsArray().Add(new JsonObject { ["created_by"] = "hostile" });
        foreach ((string member, JsonNode value) in _config)
        {
            config["config"]![member] = value.DeepClone();
        }

        files.Remove(configName);
        byte[] newConfig = Encoding.UTF8.GetBytes(config.ToJsonString());
        files[Hex(newConfig) + ".json"] = newConfig;
        manifest[0]!["Config"] = Hex(newConfig) + ".json";
        manifest[0]!["RepoTags"] = new JsonArray($"{name}:latest");
        manifest[0]!["Layers"]!.AsArray().Add(layerName);
        files["manifest.json"] = Encoding.UTF8.GetBytes(manifest.ToJsonString());

        using TarWriter archive = new(File.Create(path), TarEntryFormat.Pax);
        foreach ((string file, byte[] content) in files.OrderBy(file => file.Key != "manifest.json"))
        {
            archive.WriteEntry(new PaxTarEntry(TarEntryType.RegularFile, file) { DataStream = new MemoryStream(content) });
        }
    }

    private static string Hex(byte[] content) => Convert.ToHexStringLower(SHA256.HashData(content));
}
