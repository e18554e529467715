using Hull.Oci;

namespace Hull.Engine.Containers;

/// <summary>--device <c>HOST[:CONTAINER][:rwm]</c>.</summary>
public sealed record DeviceConfig
{
    public required string HostPath { get; init; }
    public required string ContainerPath { get; init; }
    /// <summary>Any of <c>r w m</c>.</summary>
    public required string Permissions { get; init; }

    /// <exception cref="EngineException">Invalid, with Docker's words.</exception>
    public static DeviceConfig Parse(string text)
    {
        string[] parts = text.Split(':');
        string host = parts[0];
        string container = host;
        string permissions = "rwm";
        switch (parts.Length)
        {
            case 1:
                break;
            case 2:
                if (IsPermissions(parts[1]))
                {
                    permissions = parts[1];
                }
                else
                {
                    container = parts[1];
                }

                break;
            case 3:
                (container, permissions) = (parts[1], parts[2]);
                if (!IsPermissions(permissions))
                {
                    throw Bad(text);
                }

                break;
            default:
                throw Bad(text);
        }

        if (host.Length == 0 || host[0] != '/' || container.Length == 0 || container[0] != '/')
        {
            throw Bad(text);
        }

        return new DeviceConfig { HostPath = host, ContainerPath = container, Permissions = permissions };
    }

    private static bool IsPermissions(string text) =>
        text.Length is > 0 and <= 3 && !text.AsSpan().ContainsAnyExcept('r', 'w', 'm');

    private static EngineException Bad(string text) =>
        EngineException.Invalid($"invalid device specification: {FlagText.Printable(text)} (expected /HOST/PATH[:/CONTAINER/PATH][:rwm])");
}
