using Hull.Engine.Containers;
using Hull.Engine.Volumes;
using Hull.Images;
using Hull.Linux;
using Hull.Oci;
using Hull.Oci.RuntimeSpec;
using Microsoft.Win32.SafeHandles;

namespace Hull.Engine;

/// <summary>Create and dry run.</summary>
public sealed partial class Engine
{
    /// <summary>Makes a container of an image of the store.</summary>
    /// <exception cref="EngineException">NotFound: no such image (<see cref="Images"/> can pull it first); Invalid; Conflict: name in use.</exception>
    public ContainerConfig Create(CreateRequest request)
    {
        ImageMatch match = FindImage(request.Image);
        return Create(request, match.Image ?? throw Wrap("create", new ImageException(match.Error!.Value, match.Problem!)));
    }

    /// <summary>Makes a container of an image that the caller has looked up.</summary>
    public ContainerConfig Create(CreateRequest request, Image image)
    {
        ContainerConfig config = Configure(request, image);
        ContainerStatus status = FirstStatus(config);
        // A reboot ends a --rm container, and with it all that could be asked of its record.
        bool durable = !config.Host.AutoRemove;
        try
        {
            Containers.Create(config, status, durable, staging => Populate(config, staging));
            return config;
        }
        catch (Exception e) when (e is SyscallException or IOException)
        {
            throw Wrap($"create container {config.Name}", e);
        }
    }

    /// <summary>The container as <see cref="Create(CreateRequest)"/> would record it; nothing is made or claimed.</summary>
    public ContainerConfig Configure(CreateRequest request, Image image)
    {
        RequestValidator.Validate(request);
        HostConfig host = WithNetworks(Resolve(request.Host));
        request = request with { Host = host };
        return ConfigBuilder.Build(
            request,
            new ImageFacts(image.Id, image.ChainIds, image.Config.Defaults),
            ContainerId.New(),
            request.Name is { } name ? ContainerName.Check(name) : Containers.FreeName(),
            DateTimeOffset.UtcNow,
            VolumesFrom(host),
            SharedHostname(request));
    }

    /// <summary>What a start of the container would hand to the runtime (--dry-run).</summary>
    public Spec BuildSpec(ContainerConfig config)
    {
        SpecHost host = SpecHost.Of(Containers) with { SharedMemory = (id, _) => Paths.RuntimeDirectory(id) + "/shm" };
        return SpecBuilder.WithDefaultSeccomp(SpecBuilder.Build(config, Paths, host), config, host);
    }

    /// <summary>The image's layer directories, the topmost first, as an overlay takes them.</summary>
    public IReadOnlyList<string> LayerDirectories(ContainerConfig config)
    {
        string[] directories = new string[config.Layers.Count];
        for (int i = 0; i < directories.Length; i++)
        {
            directories[i] = Images.Layers.DirectoryOf(config.Layers[^(i + 1)]);
        }

        return directories;
    }

    private ImageMatch FindImage(string reference)
    {
        try
        {
            return Images.Find(reference);
        }
        catch (Exception e) when (e is ImageException or SyscallException or IOException)
        {
            throw Wrap($"find image {FlagText.Printable(reference)}", e);
        }
    }

    private static ContainerStatus FirstStatus(ContainerConfig config) => new()
    {
        Id = config.Id,
        Name = config.Name,
        Image = config.Image,
        ImageId = config.ImageId,
        Command = ConfigBuilder.CommandLine(config.Args),
        Created = config.Created,
        Labels = config.Payload.Labels,
        State = ContainerState.Created,
        AutoRemove = config.Host.AutoRemove,
    };

    private void Populate(ContainerConfig config, string staging)
    {
        ManagedFiles.Write(staging, config);
        // Programs look for it to learn that they are in a container; docker's name is the one they know.
        string marker = staging + "/upper/.dockerenv";
        using (Files.Open(marker, OpenFlags.WriteOnly | OpenFlags.Create | OpenFlags.Exclusive, 0x1ED))
        {
        }

        if (config.Mounts is { Count: > 0 })
        {
            VolumeSources.Prepare(config, Volumes, LayerDirectories(config), staging);
        }
    }

    /// <summary><c>container:NAME</c> becomes <c>container:ID</c>: the record outlives a rename.</summary>
    private HostConfig Resolve(HostConfig host) => host with
    {
        NetworkMode = Resolve(host.NetworkMode, "network"),
        PidMode = Resolve(host.PidMode, "pid"),
        IpcMode = Resolve(host.IpcMode, "ipc"),
    };

    private string? Resolve(string? mode, string kind)
    {
        if (NamespaceModes.JoinedReference(mode) is not { } reference)
        {
            return mode;
        }

        ContainerId other = Find(reference);
        if (kind == "ipc" && Containers.ReadConfig(other).Host.IpcMode is var lent && lent != "shareable")
        {
            if (lent == "host" || NamespaceModes.Joined(lent) is not null)
            {
                // It lends what it has itself.
                return lent;
            }

            throw EngineException.Invalid(
                $"can't join IPC of container {other.Hex}: non-shareable IPC (hint: use IpcMode:shareable for the donor container)");
        }

        return NamespaceModes.Join(other);
    }

    private List<(ContainerConfig Config, bool? ReadOnly)> VolumesFrom(HostConfig host)
    {
        List<(ContainerConfig, bool?)> others = [];
        foreach (string entry in host.VolumesFrom ?? [])
        {
            int colon = entry.LastIndexOf(':');
            string mode = colon < 0 ? "" : entry[(colon + 1)..];
            if (mode is not ("" or "ro" or "rw" or "z" or "Z"))
            {
                throw EngineException.Invalid($"invalid mode for volumes-from: {FlagText.Printable(mode)}");
            }

            ContainerConfig other = Containers.ReadConfig(Find(colon < 0 ? entry : entry[..colon]));
            others.Add((other, mode switch { "ro" => true, "rw" => false, _ => null }));
        }

        return others;
    }

    /// <summary>The host's name for its uts namespace and, unless another is asked for, for its network; the lender's for a
    /// container's network.</summary>
    private string? SharedHostname(CreateRequest request)
    {
        if (NamespaceModes.Joined(request.Host.NetworkMode) is { } lender)
        {
            return Containers.ReadConfig(lender).Hostname;
        }

        return request.Host.UtsMode == "host" || (request.Host.IsHostNetwork && request.Payload.Hostname is not { Length: > 0 })
            ? HostName()
            : null;
    }

    /// <summary>The machine's name as the kernel has it.</summary>
    private static string HostName()
    {
        const string File = "/proc/sys/kernel/hostname";
        using SafeFileHandle file = Files.Open(File, OpenFlags.ReadOnly);
        string name = System.Text.Encoding.UTF8.GetString(Files.ReadAll(file, 256, File)).Trim();
        return ManagedFiles.IsHostName(name) ? name : "localhost";
    }
}
