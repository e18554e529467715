using Hull.Linux.Cgroups;

namespace Hull.Runtime.Cgroups;

/// <summary>Cgroups that a service manager has made for us.</summary>
public sealed partial class ContainerCgroup
{
    /// <summary>Takes over a cgroup with what is in it; it gets the controllers that its maker does not hand out (hugetlb, rdma).</summary>
    /// <exception cref="CgroupException">It is not there.</exception>
    public static ContainerCgroup Adopt(CgroupHost host, string path)
    {
        ContainerCgroup cgroup = Open(host, path)
            ?? throw new CgroupException($"cgroup {path} is not there although systemd has started its unit: does systemd see the same {CgroupHost.DefaultMountPoint}?");
        foreach (CgroupDirectory directory in cgroup._directories)
        {
            UnifiedTree.EnableControllers(directory);
        }

        return cgroup;
    }
}
