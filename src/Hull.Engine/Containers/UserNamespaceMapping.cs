using System.Globalization;
using Hull.Oci;
using Hull.Oci.RuntimeSpec;

namespace Hull.Engine.Containers;

/// <summary>--userns <c>remap:CONTAINER:HOST:SIZE[,CONTAINER:HOST:SIZE…]</c>: ids of a user namespace, for users and groups
/// alike (user_namespaces(7)). Empty and <c>host</c> mean no user namespace.</summary>
public static class UserNamespaceMapping
{
    private const string Prefix = "remap:";

    /// <summary>UID_GID_MAP_MAX_EXTENTS of the kernel.</summary>
    private const int MostExtents = 340;

    public static bool IsHost(string? mode) => mode is null or "" or "host";

    /// <summary>Null where the mode is the host's namespace.</summary>
    /// <exception cref="EngineException">Invalid: not a mapping, an overlap, or no root inside.</exception>
    public static IReadOnlyList<IdMapping>? Parse(string? mode)
    {
        if (IsHost(mode))
        {
            return null;
        }

        if (!mode!.StartsWith(Prefix, StringComparison.Ordinal))
        {
            throw Bad(mode, "expected 'host' or 'remap:CONTAINER:HOST:SIZE[,…]'");
        }

        List<IdMapping> mappings = [];
        foreach (string extent in mode[Prefix.Length..].Split(','))
        {
            string[] parts = extent.Split(':');
            if (parts.Length != 3 || !TryId(parts[0], out uint container) || !TryId(parts[1], out uint host) || !TryId(parts[2], out uint size)
                || size == 0)
            {
                throw Bad(mode, "each mapping is CONTAINER:HOST:SIZE, three numbers");
            }

            // (uint)-1 is no id (CVE-2024-40635 is what becomes of arithmetic past it).
            if ((ulong)container + size > uint.MaxValue || (ulong)host + size > uint.MaxValue)
            {
                throw Bad(mode, $"ids end at {uint.MaxValue - 1}");
            }

            foreach (IdMapping other in mappings)
            {
                if (Overlap(container, other.ContainerID, size, other.Size) || Overlap(host, other.HostID, size, other.Size))
                {
                    throw Bad(mode, "two mappings overlap");
                }
            }

            mappings.Add(new IdMapping { ContainerID = container, HostID = host, Size = size });
        }

        return mappings.Count > MostExtents ? throw Bad(mode, $"the kernel takes at most {MostExtents} mappings")
            : Map(mappings, 0) is null ? throw Bad(mode, "id 0 of the container is not mapped")
            : mappings;
    }

    /// <summary>The host's id for one of the container; null where it is not mapped.</summary>
    public static uint? Map(IReadOnlyList<IdMapping> mappings, uint container)
    {
        foreach (IdMapping mapping in mappings)
        {
            if (container >= mapping.ContainerID && container - mapping.ContainerID < mapping.Size)
            {
                return mapping.HostID + (container - mapping.ContainerID);
            }
        }

        return null;
    }

    private static bool Overlap(uint a, uint b, uint sizeA, uint sizeB) => a < (ulong)b + sizeB && b < (ulong)a + sizeA;

    private static bool TryId(string text, out uint id) => uint.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out id);

    private static EngineException Bad(string mode, string problem) =>
        EngineException.Invalid($"--userns: invalid USER mode '{FlagText.Printable(mode)}': {problem}");
}
