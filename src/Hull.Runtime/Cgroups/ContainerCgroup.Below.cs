using System.Text;
using Hull.Linux;
using Hull.Linux.Cgroups;
using Microsoft.Win32.SafeHandles;

namespace Hull.Runtime.Cgroups;

/// <summary>Cgroups that the container has made below its own.</summary>
public sealed partial class ContainerCgroup
{
    /// <summary>A line a hierarchy, each with a path.</summary>
    private const int LargestList = 1 << 18;

    /// <summary>The cgroup for a process that is to enter one below the container's: in the trees that the words name, elsewhere
    /// the container's own.</summary>
    /// <param name="words">runc's <c>exec --cgroup</c>: <c>PATH</c>, on v1 also <c>CONTROLLER[,CONTROLLER]:PATH</c>.</param>
    /// <exception cref="CgroupException">The path leaves the container's cgroup or is not there; a controller is not.</exception>
    public ContainerCgroup Below(IReadOnlyList<string> words)
    {
        string[] paths = [.. _directories.Select(directory => directory.Path)];
        foreach (string word in words)
        {
            int colon = word.IndexOf(':', StringComparison.Ordinal);
            string below = PathBelow(word, word[(colon + 1)..]);
            if (colon < 0)
            {
                for (int i = 0; i < paths.Length; i++)
                {
                    // The unified tree of a hybrid host has no controllers and, as with runc, nothing below the container.
                    paths[i] = _directories[i].Hierarchy.IsUnified && _host.Layout == CgroupLayout.Hybrid ? paths[i] : Path + below;
                }

                continue;
            }

            foreach (string controller in word[..colon].Split(','))
            {
                int at = _directories.FindIndex(directory => !directory.Hierarchy.IsUnified && directory.Hierarchy.Has(controller));
                paths[at >= 0 ? at : throw new CgroupException($"--cgroup {word}: this host has no cgroup v1 controller {controller}")] = Path + below;
            }
        }

        List<CgroupDirectory> directories = [];
        for (int i = 0; i < paths.Length; i++)
        {
            CgroupDirectory directory = _directories[i].Hierarchy.Directory(paths[i]);
            directories.Add(directory.Exists ? directory : throw new CgroupException($"--cgroup: {directory.FullPath} does not exist (the container makes it)"));
        }

        return new ContainerCgroup(_host, Path, directories, fresh: false);
    }

    /// <summary>The v2 directory of a process of the container, which may be below the container's own, for CLONE_INTO_CGROUP.</summary>
    /// <exception cref="CgroupException">The process has ended, or is not in the container's cgroup at all.</exception>
    public SafeFileHandle OpenUnifiedOf(int pid)
    {
        string file = $"/proc/{pid}/cgroup";
        using SafeFileHandle? list = Files.TryOpenAt(null, file, OpenFlags.ReadOnly, 0, out _);
        // proc_pid_cgroup(5): the line of v2 has the number 0 and no controllers.
        string? path = list is null ? null : Encoding.UTF8.GetString(Files.ReadAll(list, LargestList, file))
            .Split('\n').FirstOrDefault(static line => line.StartsWith("0::/", StringComparison.Ordinal))?["0::".Length..];
        if (Unified is not { } unified || path is null || !(path + "/").StartsWith(Path + "/", StringComparison.Ordinal))
        {
            throw new CgroupException($"cannot enter cgroup {Path}: it hands controllers to cgroups below it, and process {pid} is not in one of them");
        }

        using CgroupDirectory directory = unified.Hierarchy.Directory(path);
        return Files.Open(directory.FullPath, OpenFlags.Path | OpenFlags.Directory);
    }

    private static string PathBelow(string word, string path)
    {
        List<string> parts = [];
        foreach (string part in path.Split('/'))
        {
            switch (part)
            {
                case "" or ".":
                    continue;
                case "..":
                    throw new CgroupException($"--cgroup {word}: .. could lead out of the container's cgroup");
                default:
                    parts.Add("/" + part);
                    break;
            }
        }

        return string.Concat(parts);
    }
}
