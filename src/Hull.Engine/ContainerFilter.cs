using System.Globalization;
using Hull.Engine.Containers;
using Hull.Images;
using Hull.Oci;

namespace Hull.Engine;

/// <summary>The filters of <c>ps -f KEY=VALUE</c>: values of one key are alternatives, keys must all hold; of labels each must.</summary>
public sealed class ContainerFilter
{
    private readonly Dictionary<string, List<string>> _values = new(StringComparer.Ordinal);
    private HashSet<string>? _imageIds;
    private DateTimeOffset? _before;
    private DateTimeOffset? _since;
    private Func<ContainerStatus, ContainerConfig?>? _config;

    /// <summary>Whether it says which states are wanted, so that those that do not run are not left out beforehand.</summary>
    public bool SelectsState => _values.ContainsKey("status") || _values.ContainsKey("exited");

    /// <exception cref="EngineException">Invalid: an unknown key or value.</exception>
    public static ContainerFilter Parse(IEnumerable<string> filters)
    {
        ContainerFilter filter = new();
        foreach (string text in filters)
        {
            int equals = text.IndexOf('=', StringComparison.Ordinal);
            if (equals < 0)
            {
                throw EngineException.Invalid($"invalid argument \"{FlagText.Printable(text)}\" for \"-f, --filter\" flag: bad format of filter (expected name=value)");
            }

            filter.Add(text[..equals].Trim().ToLowerInvariant(), text[(equals + 1)..].Trim());
        }

        return filter;
    }

    /// <summary>Looks up what the values name: images, containers. Once for a listing.</summary>
    internal ContainerFilter Bind(Engine engine, List<ContainerStatus> all)
    {
        ContainerFilter bound = new() { _config = status => TryConfig(engine, status.Id) };
        foreach ((string key, List<string> values) in _values)
        {
            bound._values[key] = values;
        }

        if (_values.TryGetValue("ancestor", out List<string>? ancestors))
        {
            bound._imageIds = new HashSet<string>(StringComparer.Ordinal);
            foreach (string ancestor in ancestors)
            {
                ImageMatch match = engine.Images.Find(ancestor);
                bound._imageIds.Add(match.Image is { } image ? image.Id.ToString() : ancestor);
            }
        }

        bound._before = Created(engine, all, "before");
        bound._since = Created(engine, all, "since");
        return bound;
    }

    /// <summary>Whether a container passes. The filter is bound.</summary>
    internal bool Matches(ContainerStatus status)
    {
        foreach ((string key, List<string> values) in _values)
        {
            if (!Matches(status, key, values))
            {
                return false;
            }
        }

        return true;
    }

    private void Add(string key, string value)
    {
        switch (key)
        {
            case "id" or "name" or "label" or "ancestor" or "before" or "since" or "volume" or "network":
                break;
            case "status":
                if (!ContainerStateNames.TryParse(value, out _) && value != "removing")
                {
                    throw EngineException.Invalid($"invalid filter 'status={FlagText.Printable(value)}'");
                }

                break;
            case "exited":
                if (!int.TryParse(value, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out _))
                {
                    throw EngineException.Invalid($"invalid filter 'exited={FlagText.Printable(value)}'");
                }

                break;
            case "health":
                if (value is not ("none" or "starting" or "healthy" or "unhealthy"))
                {
                    throw EngineException.Invalid($"invalid filter 'health={FlagText.Printable(value)}'");
                }

                break;
            default:
                throw EngineException.Invalid($"invalid filter '{FlagText.Printable(key)}'");
        }

        if (!_values.TryGetValue(key, out List<string>? values))
        {
            _values[key] = values = [];
        }

        values.Add(value);
    }

    private bool Matches(ContainerStatus status, string key, List<string> values)
    {
        foreach (string value in values)
        {
            bool match = key switch
            {
                "id" => status.Id.Hex.StartsWith(value, StringComparison.Ordinal),
                "name" => MatchesName(status.Name, value),
                "label" => MatchesLabel(status.Labels, value),
                "status" => status.State.Name() == value,
                "exited" => status.State == ContainerState.Exited && status.ExitCode.ToString(CultureInfo.InvariantCulture) == value,
                "ancestor" => status.Image == value || (_imageIds?.Contains(status.ImageId.ToString()) ?? false),
                "before" => _before is { } before && status.Created < before,
                "since" => _since is { } since && status.Created > since,
                "health" => value == "none",
                "volume" => HasVolume(status, value),
                _ => HasNetwork(status, value),
            };
            // Labels add up, everything else is one or the other.
            if (match != (key == "label"))
            {
                return match;
            }
        }

        return key == "label";
    }

    /// <summary>A part of the name; <c>^</c> and <c>$</c> anchor it, as they would in docker's regular expression.</summary>
    private static bool MatchesName(string name, string pattern)
    {
        bool start = pattern.StartsWith('^');
        bool end = pattern.EndsWith('$');
        string text = pattern[(start ? 1 : 0)..(end && pattern.Length > (start ? 1 : 0) ? pattern.Length - 1 : pattern.Length)];
        text = text.StartsWith('/') ? text[1..] : text;
        return (start, end) switch
        {
            (true, true) => name == text,
            (true, false) => name.StartsWith(text, StringComparison.Ordinal),
            (false, true) => name.EndsWith(text, StringComparison.Ordinal),
            _ => name.Contains(text, StringComparison.Ordinal),
        };
    }

    private static bool MatchesLabel(IReadOnlyDictionary<string, string>? labels, string filter)
    {
        int equals = filter.IndexOf('=', StringComparison.Ordinal);
        return labels is not null && labels.TryGetValue(equals < 0 ? filter : filter[..equals], out string? value)
            && (equals < 0 || value == filter[(equals + 1)..]);
    }

    private bool HasVolume(ContainerStatus status, string wanted)
    {
        foreach (MountConfig mount in _config?.Invoke(status)?.Mounts ?? [])
        {
            if (mount.Source == wanted || mount.Target == wanted)
            {
                return true;
            }
        }

        return false;
    }

    private bool HasNetwork(ContainerStatus status, string wanted) =>
        _config?.Invoke(status)?.Host is { } host
        && (host.Endpoints is { } endpoints
            ? endpoints.Any(endpoint => endpoint.NetworkName == wanted || endpoint.Network.StartsWith(wanted, StringComparison.Ordinal))
            : host.NetworkMode == wanted);

    private DateTimeOffset? Created(Engine engine, List<ContainerStatus> all, string key)
    {
        if (!_values.TryGetValue(key, out List<string>? values))
        {
            return null;
        }

        ContainerId id = engine.Find(values[^1]);
        return all.Find(status => status.Id == id)?.Created;
    }

    private static ContainerConfig? TryConfig(Engine engine, ContainerId id)
    {
        try
        {
            return engine.Containers.ReadConfig(id);
        }
        catch (EngineException)
        {
            // Removed since it was listed, or damaged: it has no volumes and networks to filter by.
            return null;
        }
    }
}
