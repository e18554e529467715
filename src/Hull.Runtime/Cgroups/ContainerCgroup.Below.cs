using Hull.Linux.Cgroups;

namespace Hull.Runtime.Cgroups;

/// <summary>Cgroups that the container has made below its own.</summary>
public sealed partial class ContainerCgroup
{
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
