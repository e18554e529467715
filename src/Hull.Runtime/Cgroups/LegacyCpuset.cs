using Hull.Linux.Cgroups;

namespace Hull.Runtime.Cgroups;

/// <summary>cpuset on v1 starts empty, and a cgroup with an empty set takes no process (ENOSPC).</summary>
internal static class LegacyCpuset
{
    /// <summary>Gives the cgroup, and every ancestor that has none, its parent's processors and memory nodes.</summary>
    public static void Initialise(CgroupDirectory directory)
    {
        bool filled = false;
        foreach (string file in (ReadOnlySpan<string>)["cpuset.cpus", "cpuset.mems"])
        {
            Fill(directory, file, ref filled);
        }

        if (filled && directory.Parent is { Path: not "/" } parent)
        {
            using (parent)
            {
                // The kernel then fills the next child itself as it is made. Refused: the next one is filled as this was.
                parent.TryWrite("cgroup.clone_children", "1");
            }
        }
    }

    private static string Fill(CgroupDirectory directory, string file, ref bool filled)
    {
        string value = directory.Read(file);
        if (value.Length > 0 || directory.Parent is not { } parent)
        {
            return value;
        }

        using (parent)
        {
            value = Fill(parent, file, ref filled);
            directory.Write(file, value);
            filled = true;
            return value;
        }
    }
}
