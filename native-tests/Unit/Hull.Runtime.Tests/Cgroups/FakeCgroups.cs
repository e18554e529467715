using System.Text;
using Hull.Linux.Cgroups;

namespace Hull.Runtime.Tests.Cgroups;

/// <summary>Cgroup trees of ordinary files in a temporary directory, and hosts for plans that are not performed.</summary>
internal sealed class FakeCgroups : IDisposable
{
    public string Root { get; } = Directory.CreateTempSubdirectory("hull-cgroups-").FullName;

    /// <summary>A pure v2 host whose tree is <see cref="Root"/>.</summary>
    public CgroupHost Unified(string controllers = "cpuset cpu io memory hugetlb pids rdma")
    {
        Put("cgroup.controllers", controllers);
        Put("cgroup.subtree_control", "");
        return CgroupHost.FromUnified(Root);
    }

    /// <summary>A hybrid host: one v1 tree a controller, the v2 tree at unified/.</summary>
    public CgroupHost Hybrid(params string[] controllers)
    {
        Put("unified/cgroup.controllers", "");
        Put("unified/cgroup.subtree_control", "");
        return Host("31 1 0:1 / /unified rw - cgroup2 cgroup2 rw\n", controllers);
    }

    /// <summary>A pure v1 host.</summary>
    public CgroupHost Legacy(params string[] controllers) => Host("", controllers);

    /// <summary>Writes a file of the tree, its directory too.</summary>
    public void Put(string file, string text)
    {
        string path = Path.Combine(Root, file);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllText(path, text);
    }

    public string Get(string file) => File.ReadAllText(Path.Combine(Root, file));

    public bool Has(string file) => Path.Exists(Path.Combine(Root, file));

    public void Dispose() => Directory.Delete(Root, recursive: true);

    private CgroupHost Host(string first, string[] controllers)
    {
        StringBuilder mountInfo = new(first);
        foreach (string controller in controllers)
        {
            Directory.CreateDirectory(Path.Combine(Root, controller));
            mountInfo.Append(null, $"32 1 0:2 / /{controller} rw - cgroup cgroup rw,{controller}\n");
        }

        return CgroupHost.FromMountInfo(Encoding.UTF8.GetBytes(mountInfo.ToString()), Root);
    }
}
