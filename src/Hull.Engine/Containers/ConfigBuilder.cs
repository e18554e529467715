using Hull.Oci;
using Hull.Oci.ImageSpec;

namespace Hull.Engine.Containers;

/// <summary>Merges request and image into the <see cref="ContainerConfig"/> of a new container.</summary>
/// <remarks>An image gives defaults of the payload and the paths of its VOLUMEs; of the host's half it has no say.</remarks>
internal static class ConfigBuilder
{
    /// <param name="request">Validated (<see cref="RequestValidator"/>), its <c>container:</c> modes resolved to ids.</param>
    /// <param name="volumesFrom">The configs of --volumes-from, in its order.</param>
    /// <param name="hostname">The host name where another's is shared; null gives the container its own.</param>
    public static ContainerConfig Build(
        CreateRequest request, ImageFacts image, ContainerId id, string name, DateTimeOffset created,
        IReadOnlyList<(ContainerConfig Config, bool? ReadOnly)> volumesFrom, string? hostname)
    {
        PayloadConfig payload = Merge(request.Payload, image.Defaults);
        List<string> args = [.. payload.Entrypoint ?? [], .. payload.Command ?? []];
        if (args.Count == 0 || args[0].Length == 0)
        {
            throw EngineException.Invalid("no command specified: give one after the image, or use an image that has a CMD or ENTRYPOINT");
        }

        foreach (string text in args)
        {
            RefuseNul("argument", text);
        }

        return new ContainerConfig
        {
            Id = id,
            Name = name,
            Created = created,
            Image = request.Image,
            ImageId = image.Id,
            Layers = image.Layers,
            Args = args,
            Payload = payload,
            Host = request.Host,
            Mounts = Mounts(request.Host, payload, volumesFrom),
            Hostname = hostname ?? (payload.Hostname is { Length: > 0 } own ? own : id.Short),
        };
    }

    /// <summary>What <c>ps</c> shows as the command.</summary>
    public static string CommandLine(IReadOnlyList<string> args)
    {
        const int Longest = 4096;
        string line = string.Join(' ', args);
        return line.Length <= Longest ? line : line[..Longest];
    }

    private static PayloadConfig Merge(PayloadConfig asked, ImageDefaults? image)
    {
        // --entrypoint replaces both of the image's; "" is its reset.
        IReadOnlyList<string>? entrypoint = asked.Entrypoint is null ? image?.Entrypoint : asked.Entrypoint is [""] ? [] : asked.Entrypoint;
        IReadOnlyList<string>? command = asked.Command is { Count: > 0 } ? asked.Command : asked.Entrypoint is null ? image?.Cmd : null;
        string? user = asked.User is { Length: > 0 } ? asked.User : image?.User;
        string? directory = asked.WorkingDirectory is { Length: > 0 } ? asked.WorkingDirectory : image?.WorkingDirectory;
        string? signal = asked.StopSignal is { Length: > 0 } ? asked.StopSignal : image?.StopSignal;
        if (user is not null && FlagText.HasControl(user))
        {
            throw EngineException.Invalid($"invalid user '{FlagText.Printable(user)}': control characters");
        }

        if (directory is { Length: > 0 } && directory[0] != '/')
        {
            // The flag was checked; an image may have a relative one, which is relative to its root.
            directory = "/" + directory;
        }

        if (directory is not null && FlagText.HasControl(directory))
        {
            throw EngineException.Invalid($"invalid working directory '{FlagText.Printable(directory)}': control characters");
        }

        if (signal is not null && asked.StopSignal is not { Length: > 0 } && !SignalText.TryParse(signal, out _))
        {
            // Docker starts such an image and stops it with SIGTERM.
            signal = null;
        }

        return asked with
        {
            Entrypoint = entrypoint is { Count: > 0 } ? entrypoint : null,
            Command = command is { Count: > 0 } ? command : null,
            Env = Environment(asked.Env, image?.Env),
            User = user,
            WorkingDirectory = directory,
            StopSignal = signal,
            StopTimeout = asked.StopTimeout ?? image?.StopTimeout,
            Labels = Labels(asked.Labels, image?.Labels),
            Volumes = image?.Volumes is { Count: > 0 } volumes ? [.. volumes.Keys] : asked.Volumes,
            ExposedPorts = Ports(asked.ExposedPorts, image?.ExposedPorts),
        };
    }

    /// <summary>The request's entries, then the image's that it does not set. Of one key the last entry wins.</summary>
    private static List<string>? Environment(IReadOnlyList<string>? asked, IReadOnlyList<string>? image)
    {
        List<string> env = new((asked?.Count ?? 0) + (image?.Count ?? 0));
        foreach (string entry in asked ?? [])
        {
            RefuseNul("environment variable", entry);
            Put(env, entry, replace: true);
        }

        foreach (string entry in image ?? [])
        {
            RefuseNul("environment variable of the image", entry);
            if (entry.IndexOf('=', StringComparison.Ordinal) > 0)
            {
                Put(env, entry, replace: false);
            }
        }

        // KEY alone took the place of the image's entry and now goes.
        env.RemoveAll(static entry => entry.IndexOf('=', StringComparison.Ordinal) < 0);
        return env.Count > 0 ? env : null;
    }

    private static void Put(List<string> env, string entry, bool replace)
    {
        ReadOnlySpan<char> key = Key(entry);
        for (int i = 0; i < env.Count; i++)
        {
            if (Key(env[i]).SequenceEqual(key))
            {
                if (replace)
                {
                    env[i] = entry;
                }

                return;
            }
        }

        env.Add(entry);
    }

    private static ReadOnlySpan<char> Key(string entry)
    {
        int equals = entry.IndexOf('=', StringComparison.Ordinal);
        return equals < 0 ? entry : entry.AsSpan(0, equals);
    }

    private static Dictionary<string, string>? Labels(IReadOnlyDictionary<string, string>? asked, IReadOnlyDictionary<string, string>? image)
    {
        if (asked is not { Count: > 0 } && image is not { Count: > 0 })
        {
            return null;
        }

        Dictionary<string, string> labels = new(StringComparer.Ordinal);
        foreach (KeyValuePair<string, string> label in image ?? new Dictionary<string, string>())
        {
            labels[label.Key] = label.Value;
        }

        foreach (KeyValuePair<string, string> label in asked ?? new Dictionary<string, string>())
        {
            labels[label.Key] = label.Value;
        }

        return labels;
    }

    private static List<string>? Ports(IReadOnlyList<string>? asked, IReadOnlyDictionary<string, EmptyObject>? image)
    {
        List<string> ports = [.. asked ?? []];
        foreach (string port in image?.Keys ?? [])
        {
            if (!ports.Contains(port))
            {
                ports.Add(port);
            }
        }

        return ports.Count > 0 ? ports : null;
    }

    private static List<MountConfig>? Mounts(HostConfig host, PayloadConfig payload, IReadOnlyList<(ContainerConfig Config, bool? ReadOnly)> volumesFrom)
    {
        List<MountConfig> mounts = [];
        foreach (MountConfig mount in host.Mounts ?? [])
        {
            // An anonymous volume's name is random: nobody else's by accident, nobody's on purpose.
            mounts.Add(mount is { Kind: MountKind.Volume, Source: null } ? mount with { Source = ContainerId.New().Hex, Anonymous = true } : mount);
        }

        foreach ((ContainerConfig other, bool? readOnly) in volumesFrom)
        {
            foreach (MountConfig mount in other.Mounts ?? [])
            {
                if (mount.Kind != MountKind.Tmpfs && !IsTaken(mounts, mount.Target))
                {
                    mounts.Add(mount with { Origin = MountOrigin.VolumesFrom, ReadOnly = readOnly ?? mount.ReadOnly });
                }
            }
        }

        foreach (string path in payload.Volumes ?? [])
        {
            string target = ContainerPath.Clean(path);
            RequestValidator.CheckImageVolume(path, target);
            if (!IsTaken(mounts, target))
            {
                mounts.Add(new MountConfig { Kind = MountKind.Volume, Target = target, Source = ContainerId.New().Hex, Anonymous = true, Origin = MountOrigin.Image });
            }
        }

        return mounts.Count > 0 ? mounts : null;
    }

    private static bool IsTaken(List<MountConfig> mounts, string target)
    {
        foreach (MountConfig mount in mounts)
        {
            if (mount.Target == target)
            {
                return true;
            }
        }

        return false;
    }

    private static void RefuseNul(string what, string text)
    {
        if (text.Contains('\0', StringComparison.Ordinal))
        {
            throw EngineException.Invalid($"{what} '{FlagText.Printable(text)}' holds a NUL byte, where the kernel would end it");
        }
    }
}
