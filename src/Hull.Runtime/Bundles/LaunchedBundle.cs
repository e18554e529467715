using Hull.Oci.RuntimeSpec;
using Hull.Runtime.Cgroups;
using Hull.Runtime.Init;

namespace Hull.Runtime.Bundles;

/// <summary>A bundle's container while the process that made it is there.</summary>
internal sealed class LaunchedBundle(ContainerCgroup cgroup, Spec spec) : IDisposable
{
    private readonly bool _ownPids = NamespacePlan.MakesPid(spec.Linux);
    private bool _disposed;

    public ContainerCgroup Cgroup { get; } = cgroup;

    /// <summary>Set once the child has come to its gate.</summary>
    public RunningContainer Container { get; set; } = null!;

    /// <summary>As it was saved.</summary>
    public ContainerState State { get; set; } = null!;

    /// <summary>The first process has ended; in a pid namespace of its own everything has with it (pid_namespaces(7)).</summary>
    public bool Ended { get; set; }

    /// <summary>Ends what is left in the cgroup, and removes it.</summary>
    public void RemoveCgroup()
    {
        if (!Ended || !_ownPids)
        {
            Cgroup.Kill();
        }

        Cgroup.Delete();
    }

    public void Dispose()
    {
        if (!_disposed)
        {
            _disposed = true;
            Container?.Dispose();
            Cgroup.Dispose();
        }
    }
}
