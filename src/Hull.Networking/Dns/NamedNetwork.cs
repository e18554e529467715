using System.Text;
using Hull.Networking.Endpoints;

namespace Hull.Networking.Dns;

/// <summary>A network whose names a container may ask for.</summary>
public sealed class NamedNetwork
{
    private readonly (byte[] Alias, byte[] Target)[] _links;

    /// <param name="directory">The network's, below the one that <see cref="DirectoryNames"/> reads.</param>
    /// <param name="name">As in <c>web.NETWORK</c>.</param>
    /// <param name="links">Names that the container alone has for others; they come before the network's.</param>
    public NamedNetwork(string directory, string name, params IReadOnlyList<EndpointLink> links)
    {
        Directory = Encoding.UTF8.GetBytes(directory);
        Name = Encoding.UTF8.GetBytes(name);
        _links = [.. links.Select(static link => (Lower(link.Alias), Lower(link.Name)))];
    }

    internal byte[] Directory { get; }

    internal byte[] Name { get; }

    /// <summary>The network's name for what the container calls so.</summary>
    internal ReadOnlySpan<byte> Follow(ReadOnlySpan<byte> name)
    {
        foreach ((byte[] alias, byte[] target) in _links)
        {
            if (name.SequenceEqual(alias))
            {
                return target;
            }
        }

        return name;
    }

    private static byte[] Lower(string name) => Encoding.UTF8.GetBytes(name.ToLowerInvariant());
}
