using Hull.Linux;
using Hull.Linux.Cgroups;

namespace Hull.Runtime.Cgroups;

/// <summary>Controllers of a cgroup v2 tree: a cgroup has those that its parent lists in cgroup.subtree_control.</summary>
internal static class UnifiedTree
{
    /// <summary>Lets <paramref name="directory"/> have every controller of its tree: enables them in all its ancestors, the
    /// root first.</summary>
    /// <remarks>What cannot be enabled is left: the limit that needs it fails with a reason of its own
    /// (<see cref="WhyMissing"/>), and a container without such a limit is not hindered.</remarks>
    public static void EnableControllers(CgroupDirectory directory)
    {
        IReadOnlyList<string> wanted = directory.Hierarchy.Controllers;
        using CgroupDirectory? parent = directory.Parent;
        if (wanted.Count == 0 || parent is null)
        {
            return;
        }

        string[] missing = Missing(parent, wanted);
        if (missing.Length == 0)
        {
            // Enabled here means enabled all the way up.
            return;
        }

        EnableControllers(parent);
        if (TryEnable(parent, string.Join(' ', missing.Select(controller => "+" + controller))) == Errno.None)
        {
            return;
        }

        foreach (string controller in missing)
        {
            // One that is refused (cpu with real-time processes: EINVAL; processes in this cgroup: EBUSY) must not
            // keep the others out.
            TryEnable(parent, "+" + controller);
        }
    }

    /// <summary>Why <paramref name="directory"/> does not have <paramref name="controller"/>, in words for an error; null where it has.</summary>
    public static string? WhyMissing(CgroupDirectory directory, string controller)
    {
        using CgroupDirectory? parent = directory.Parent;
        if (parent is null)
        {
            return null;
        }

        // The uppermost gap is the reason for those below it.
        if (WhyMissing(parent, controller) is { } above)
        {
            return above;
        }

        if (Missing(parent, [controller]).Length == 0)
        {
            return null;
        }

        string file = $"{parent.FullPath}/cgroup.subtree_control";
        return TryEnable(parent, "+" + controller) switch
        {
            Errno.None => $"{controller} was not in {file} and is now: try again",
            // cgroups(7), "no internal processes": a cgroup with processes may not hand controllers down.
            Errno.EBUSY => $"{controller} cannot go into {file} while processes are in {parent.FullPath}: make a cgroup below it and "
                + "write them to its cgroup.procs",
            Errno.ENOENT => $"{controller} is not in {parent.FullPath}/cgroup.controllers",
            Errno errno => $"{controller} cannot go into {file}: {errno.Name()}, {errno.Text()}",
        };
    }

    private static string[] Missing(CgroupDirectory directory, IReadOnlyList<string> wanted)
    {
        string[] enabled = (directory.TryRead("cgroup.subtree_control", out _) ?? "").Split(' ');
        return wanted.Where(controller => !enabled.Contains(controller)).ToArray();
    }

    private static Errno TryEnable(CgroupDirectory directory, string controllers) =>
        directory.TryWrite("cgroup.subtree_control", controllers);
}
