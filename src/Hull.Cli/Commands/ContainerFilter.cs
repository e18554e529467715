using System.Globalization;
using Hull.Engine;
using Hull.Engine.Containers;

namespace Hull.Cli.Commands;

/// <summary>The filters of <c>ps --filter</c>: entries of one key are alternatives, those of different keys must all hold.</summary>
internal sealed class ContainerFilter
{
    private readonly Dictionary<string, List<string>> _wanted = new(StringComparer.Ordinal);

    private ContainerFilter()
    {
    }

    /// <summary>Whether a filter names states itself, so that <c>ps</c> shows more than the live ones.</summary>
    public bool WantsAllStates => _wanted.ContainsKey("status") || _wanted.ContainsKey("exited");

    /// <exception cref="EngineException">Not <c>key=value</c>, or no such key.</exception>
    public static ContainerFilter Parse(IReadOnlyList<string> filters)
    {
        ContainerFilter filter = new();
        foreach (string text in filters)
        {
            int equals = text.IndexOf('=', StringComparison.Ordinal);
            if (equals <= 0)
            {
                throw new FormatException("bad format of filter (expected name=value)");
            }

            string key = text[..equals].Trim().ToLowerInvariant();
            string value = text[(equals + 1)..].Trim();
            switch (key)
            {
                case "id" or "name" or "label" or "ancestor" or "before" or "since":
                    break;
                case "exited" when int.TryParse(value, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out _):
                    break;
                case "status" when ContainerStateNames.TryParse(value, out _):
                    break;
                case "status" or "exited":
                    throw EngineException.Invalid($"invalid filter '{key}={value}'");
                default:
                    throw EngineException.Invalid($"invalid filter '{key}' (use id, name, label, ancestor, status, exited, before or since)");
            }

            if (!filter._wanted.TryGetValue(key, out List<string>? values))
            {
                filter._wanted[key] = values = [];
            }

            values.Add(value);
        }

        return filter;
    }

    /// <param name="find">The container that <c>before</c> or <c>since</c> names.</param>
    public bool Matches(ContainerStatus status, Func<string, ContainerStatus> find)
    {
        foreach ((string key, List<string> values) in _wanted)
        {
            bool any = false;
            foreach (string value in values)
            {
                any |= Matches(status, key, value, find);
            }

            if (!any)
            {
                return false;
            }
        }

        return true;
    }

    private static bool Matches(ContainerStatus status, string key, string value, Func<string, ContainerStatus> find) => key switch
    {
        "id" => status.Id.Hex.StartsWith(value, StringComparison.Ordinal),
        "name" => MatchesName(status.Name, value),
        "label" => MatchesLabel(status.Labels, value),
        "ancestor" => MatchesImage(status, value),
        "status" => status.State.Name() == value,
        "exited" => status.State == ContainerState.Exited && status.ExitCode.ToString(CultureInfo.InvariantCulture) == value,
        "before" => status.Created < find(value).Created,
        _ => status.Created > find(value).Created,
    };

    /// <summary>A part of the name; <c>^</c> and <c>$</c> anchor it, and docker's leading slash may be written.</summary>
    private static bool MatchesName(string name, string pattern)
    {
        bool start = pattern.StartsWith('^');
        bool end = pattern.EndsWith('$');
        string core = pattern[(start ? 1 : 0)..(end ? pattern.Length - 1 : pattern.Length)];
        if (core.StartsWith('/'))
        {
            start = true;
            core = core[1..];
        }

        return (start, end) switch
        {
            (true, true) => name == core,
            (true, false) => name.StartsWith(core, StringComparison.Ordinal),
            (false, true) => name.EndsWith(core, StringComparison.Ordinal),
            _ => name.Contains(core, StringComparison.Ordinal),
        };
    }

    internal static bool MatchesLabel(IReadOnlyDictionary<string, string>? labels, string wanted)
    {
        int equals = wanted.IndexOf('=', StringComparison.Ordinal);
        string key = equals < 0 ? wanted : wanted[..equals];
        return labels is not null && labels.TryGetValue(key, out string? value) && (equals < 0 || value == wanted[(equals + 1)..]);
    }

    private static bool MatchesImage(ContainerStatus status, string wanted)
    {
        string hex = wanted.StartsWith("sha256:", StringComparison.Ordinal) ? wanted[7..] : wanted;
        bool hasId = hex.Length >= 4 && status.ImageId.Hex.StartsWith(hex, StringComparison.Ordinal);
        return hasId || status.Image == wanted || status.Image == wanted + ":latest" || status.Image + ":latest" == wanted;
    }
}
