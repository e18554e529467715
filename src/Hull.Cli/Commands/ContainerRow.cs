using System.Globalization;
using Hull.Cli.Output;
using Hull.Cli.Templates;
using Hull.Engine.Containers;

namespace Hull.Cli.Commands;

/// <summary>One container as <c>ps</c> shows it.</summary>
internal sealed class ContainerRow
{
    /// <summary>Columns of the table; the size is added by <c>-s</c>.</summary>
    public const string Columns = "{{.ID}}\t{{.Image}}\t{{.Command}}\t{{.RunningFor}}\t{{.Status}}\t{{.Ports}}\t{{.Names}}";

    private const int CommandWidth = 20;
    private const int MountWidth = 15;

    public static readonly IReadOnlyList<TemplateField> Fields =
    [
        new("ID", "CONTAINER ID"), new("Names", "NAMES"), new("Image", "IMAGE"), new("Command", "COMMAND"),
        new("CreatedAt", "CREATED AT"), new("RunningFor", "CREATED"), new("Ports", "PORTS"), new("State", "STATE"),
        new("Status", "STATUS"), new("Size", "SIZE"), new("Labels", "LABELS"), new("Mounts", "MOUNTS"),
        new("LocalVolumes", "LOCAL VOLUMES"), new("Networks", "NETWORKS"), new("Platform", "PLATFORM", InJson: false),
        new("ExitCode", "EXIT CODE", InJson: false), new("Pid", "PID", InJson: false), new("Label", "", InJson: false),
    ];

    private readonly ContainerStatus _status;
    private readonly bool _truncate;
    private readonly DateTimeOffset _now;
    private readonly Func<ContainerConfig?> _config;
    private readonly Func<string> _size;

    /// <param name="config">Reads the container's config; called for the fields that need it.</param>
    /// <param name="size">The size column; empty where it was not asked for.</param>
    public ContainerRow(ContainerStatus status, bool truncate, DateTimeOffset now, Func<ContainerConfig?> config, Func<string> size)
    {
        _status = status;
        _truncate = truncate;
        _now = now;
        _config = config;
        _size = size;
    }

    public TemplateRow ToRow() => new(Fields, Value);

    /// <summary>Docker's words for where a container is in its life.</summary>
    public static string StatusText(ContainerStatus status, DateTimeOffset now)
    {
        string since(DateTimeOffset? then) => Units.HumanDuration(now - (then ?? now));
        string memory = status.OomKilled ? $" (out of memory: {status.OomLimit ?? "memory limit"})" : "";
        return status.State switch
        {
            ContainerState.Running => "Up " + since(status.Started),
            ContainerState.Paused => $"Up {since(status.Started)} (Paused)",
            ContainerState.Restarting => $"Restarting ({status.ExitCode}) {since(status.Finished)} ago{memory}",
            ContainerState.Exited when status.Finished is null => $"Exited ({status.ExitCode})",
            ContainerState.Exited => $"Exited ({status.ExitCode}) {since(status.Finished)} ago{memory}",
            ContainerState.Dead => "Dead",
            _ => "Created",
        };
    }

    private TemplateValue Value(string name, string? argument) => name switch
    {
        "Label" => TemplateValue.Of(_status.Labels?.GetValueOrDefault(argument ?? "") ?? ""),
        "ExitCode" => TemplateValue.Of((long)_status.ExitCode),
        "Pid" => TemplateValue.Of((long)_status.Pid),
        _ => TemplateValue.Of(Text(name)),
    };

    private string Text(string name) => name switch
    {
        "ID" => _truncate ? _status.Id.Short : _status.Id.Hex,
        "Names" => _status.Name,
        "Image" => _truncate && _status.Image.StartsWith("sha256:", StringComparison.Ordinal) ? _status.ImageId.Short : _status.Image,
        "Command" => GoText.Quote(_truncate ? GoText.Ellipsis(_status.Command, CommandWidth) : _status.Command),
        "CreatedAt" => FormatTime(_status.Created),
        "RunningFor" => Units.HumanDuration(_now - _status.Created) + " ago",
        "State" => _status.State.Name(),
        "Status" => StatusText(_status, _now),
        "Size" => _size(),
        "Labels" => JoinLabels(_status.Labels),
        "Mounts" => JoinMounts(),
        "LocalVolumes" => CountVolumes().ToString(CultureInfo.InvariantCulture),
        "Networks" => _config()?.Host is { } host ? JoinNetworks(host) : "",
        "Ports" => _status.Ports ?? "",
        "Platform" => "linux",
        _ => "",
    };

    /// <summary>Go's time.Time.String, which docker prints: <c>2024-01-02 03:04:05 +0000 UTC</c>.</summary>
    internal static string FormatTime(DateTimeOffset time)
    {
        DateTimeOffset local = time.ToLocalTime();
        string offset = local.ToString("zzz", CultureInfo.InvariantCulture).Replace(":", "", StringComparison.Ordinal);
        string zone = local.Offset == TimeSpan.Zero ? "UTC" : offset;
        return $"{local.ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture)} {offset} {zone}";
    }

    internal static string JoinLabels(IReadOnlyDictionary<string, string>? labels)
    {
        List<string> pairs = [];
        foreach ((string key, string value) in labels ?? new Dictionary<string, string>())
        {
            pairs.Add($"{key}={value}");
        }

        pairs.Sort(string.CompareOrdinal);
        return string.Join(',', pairs);
    }

    private static string JoinNetworks(HostConfig host) =>
        host.Endpoints is { } endpoints ? string.Join(',', endpoints.Select(static endpoint => endpoint.NetworkName)) : host.NetworkMode ?? "";

    private string JoinMounts()
    {
        List<string> names = [];
        foreach (MountConfig mount in _config()?.Mounts ?? [])
        {
            if (mount.Kind != MountKind.Tmpfs && mount.Source is { } source)
            {
                names.Add(_truncate ? GoText.Ellipsis(source, MountWidth) : source);
            }
        }

        return string.Join(',', names);
    }

    private int CountVolumes()
    {
        int count = 0;
        foreach (MountConfig mount in _config()?.Mounts ?? [])
        {
            count += mount.Kind == MountKind.Volume ? 1 : 0;
        }

        return count;
    }
}
