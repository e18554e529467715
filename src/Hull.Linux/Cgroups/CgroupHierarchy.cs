namespace Hull.Linux.Cgroups;

/// <summary>One mounted cgroup tree: the unified one (v2), or a v1 hierarchy with the controllers bound to it.</summary>
/// <param name="MountPoint">Absolute; cgroup paths are below it.</param>
/// <param name="IsUnified">cgroup v2.</param>
/// <param name="Controllers">v1: as in the mount's options, co-mounted ones together, <c>name=systemd</c> for a named one.
/// v2: cgroup.controllers of its root.</param>
public sealed record CgroupHierarchy(string MountPoint, bool IsUnified, IReadOnlyList<string> Controllers)
{
    /// <summary>The directory of a cgroup in this tree.</summary>
    /// <param name="path">Absolute within the tree: <c>/hull/ab12…</c>; <c>/</c> is the root.</param>
    public CgroupDirectory Directory(string path) => new(this, path);

    /// <summary>Whether <paramref name="controller"/> is bound to this tree.</summary>
    public bool Has(string controller)
    {
        foreach (string candidate in Controllers)
        {
            if (candidate == controller)
            {
                return true;
            }
        }

        return false;
    }
}
