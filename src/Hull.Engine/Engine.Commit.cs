using Hull.Engine.Containers;
using Hull.Engine.Monitor;
using Hull.Images;
using Hull.Images.Diffing;
using Hull.Linux;
using Hull.Oci.ImageSpec;
using Hull.Oci.RuntimeSpec;

namespace Hull.Engine;

/// <summary>A container's files: what it has changed, all of them, and an image of them.</summary>
public sealed partial class Engine
{
    /// <summary>What a container has changed of its image, in the order of the paths' bytes.</summary>
    public IReadOnlyList<PathChange> Diff(ContainerId id)
    {
        ContainerConfig config = Containers.ReadConfig(id);
        return Reading($"diff container {config.Name}", () => Images.Changes(UpperOf(config)));
    }

    /// <summary>Writes a container's whole root as a tar archive; volumes and mounts are not part of it.</summary>
    public void Export(ContainerId id, Stream output)
    {
        ContainerConfig config = Containers.ReadConfig(id);
        Reading($"export container {config.Name}", () =>
        {
            Images.Export(UpperOf(config), output);
            return true;
        });
    }

    /// <summary>Makes an image of a container's changes, on top of its own image's layers.</summary>
    /// <exception cref="EngineException">NotFound: its image was removed.</exception>
    public Image Commit(ContainerId id, CommitRequest request)
    {
        ContainerConfig config = Containers.ReadConfig(id);
        return Reading($"commit container {config.Name}", () =>
        {
            // From here on nothing that the new image stands on is collected.
            using IDisposable use = Images.Hold();
            Image parent = Images.Find(config.ImageId.ToString()).Image ?? throw EngineException.NotFound(
                $"container {config.Name}: its image {config.ImageId.Short} was removed, and an image can be made only on top of it"
                + $" (load it again, or make one of the files alone: hull export {config.Name} | hull import -)");
            NewImage description = new()
            {
                Created = DateTimeOffset.UtcNow,
                Author = request.Author,
                Comment = request.Message ?? (request.Squash ? $"squashed from {parent.Id.Short} and container {config.Id.Short}" : null),
                // Of one layer in place of all no single command can be told.
                CreatedBy = request.Squash ? null : string.Join(' ', config.Payload.Command ?? []),
                Defaults = request.Change(DefaultsOf(config.Payload, parent.Config.Defaults)),
                Reference = request.Reference,
            };
            using MadeLayer layer = request.Pause ? Frozen(id, Make) : Make();
            return Images.Commit(parent, layer, description);
        });

        MadeLayer Make() => Images.MakeLayer(UpperOf(config), request.Squash);
    }

    /// <summary>Freezes a running container for the time of the work; it thaws even if this process is killed. One that is paused stays so.</summary>
    private T Frozen<T>(ContainerId id, Func<T> work)
    {
        MonitorConnection? freeze = null;
        // A conflict: the container ended, or somebody else paused it, since it was looked at. Its files are as good to read then.
        if (Status(id).State == ContainerState.Running)
        {
            UnlessConflict(() => freeze = MonitorClient.Freeze(Paths, id));
        }

        using (freeze)
        {
            try
            {
                return work();
            }
            finally
            {
                if (freeze is not null)
                {
                    // The end of the connection would do it too, a moment after this command's end.
                    UnlessConflict(() => MonitorClient.Unpause(Paths, id));
                }
            }
        }
    }

    private UpperDirectory UpperOf(ContainerConfig config)
    {
        UpperDirectory upper = new(Paths.ContainerDirectory(config.Id) + "/upper", config.Layers) { IsScaffold = Scaffold.Is };
        return UserNamespaceMapping.Parse(config.Host.UsernsMode) is { } mappings
            ? upper with { IdInContainer = host => InContainer(mappings, host) }
            : upper;
    }

    /// <summary>The container's id for one of the host. What the map does not have was made by the engine, and stays.</summary>
    private static uint InContainer(IReadOnlyList<IdMapping> mappings, uint host)
    {
        foreach (IdMapping mapping in mappings)
        {
            if (host >= mapping.HostID && host - mapping.HostID < mapping.Size)
            {
                return mapping.ContainerID + (host - mapping.HostID);
            }
        }

        return host;
    }

    /// <summary>What the container started with, as an image says it. A health check and the builder's shell, which a container does not
    /// record, are the image's; triggers for a build on top of that one were its own.</summary>
    private static ImageDefaults DefaultsOf(PayloadConfig payload, ImageDefaults? image) => new()
    {
        User = payload.User,
        Env = payload.Env,
        Entrypoint = payload.Entrypoint,
        Cmd = payload.Command,
        WorkingDirectory = payload.WorkingDirectory,
        Labels = payload.Labels,
        StopSignal = payload.StopSignal,
        StopTimeout = payload.StopTimeout,
        ExposedPorts = payload.ExposedPorts?.ToDictionary(static port => port, static _ => new EmptyObject()),
        Volumes = payload.Volumes?.ToDictionary(static path => path, static _ => new EmptyObject()),
        Healthcheck = image?.Healthcheck,
        Shell = image?.Shell,
    };

    private static T Reading<T>(string operation, Func<T> work)
    {
        try
        {
            return work();
        }
        catch (Exception e) when (e is ImageException or SyscallException)
        {
            throw Wrap(operation, e);
        }
    }
}
