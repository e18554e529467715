using Hull.Engine.Containers;
using Hull.Linux;
using Hull.Oci;

namespace Hull.Engine.Tests;

/// <summary>A store in directories of its own, gone with the test. Needs no root.</summary>
public sealed class TemporaryStore : IDisposable
{
    private readonly string _root = Path.Combine(Path.GetTempPath(), "hull-test-" + Guid.NewGuid().ToString("N"));

    public TemporaryStore()
    {
        Paths = new HullPaths(_root + "/data", _root + "/exec");
        Store = new ContainerStore(Paths);
        Directory.CreateDirectory(_root);
    }

    public HullPaths Paths { get; }

    public ContainerStore Store { get; }

    public static ContainerConfig Config(string name = "web", HostConfig? host = null, PayloadConfig? payload = null, IReadOnlyList<MountConfig>? mounts = null)
    {
        ContainerId id = ContainerId.New();
        return new ContainerConfig
        {
            Id = id,
            Name = name,
            Created = DateTimeOffset.UtcNow,
            Image = "busybox",
            ImageId = Digest.Of("image"u8),
            Layers = [Digest.Of("layer"u8)],
            Args = ["sh", "-c", "true"],
            Payload = payload ?? new PayloadConfig(),
            Host = host ?? new HostConfig { NetworkMode = "none" },
            Mounts = mounts,
            Hostname = id.Short,
        };
    }

    public static ContainerStatus Status(ContainerConfig config, ContainerState state = ContainerState.Created) => new()
    {
        Id = config.Id,
        Name = config.Name,
        Image = config.Image,
        ImageId = config.ImageId,
        Command = "sh -c true",
        Created = config.Created,
        State = state,
    };

    public ContainerConfig Add(string name, ContainerState state = ContainerState.Created, HostConfig? host = null)
    {
        ContainerConfig config = Config(name, host);
        Store.Create(config, Status(config, state), durable: false);
        return config;
    }

    public string[] Names() => Directory.Exists(Paths.Names) ? [.. Directory.GetFileSystemEntries(Paths.Names).Select(path => Path.GetFileName(path)!).Order()] : [];

    public string[] Directories() => [.. Directory.GetDirectories(Paths.Containers).Select(path => Path.GetFileName(path)!).Where(name => name != "names")];

    public void Dispose() => DirectoryListing.RemoveTree(_root);
}
