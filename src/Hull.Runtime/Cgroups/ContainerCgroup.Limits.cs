using Hull.Linux;
using Hull.Linux.Cgroups;
using Hull.Oci.RuntimeSpec;

namespace Hull.Runtime.Cgroups;

/// <summary>Limits: writes what <see cref="CgroupPlan"/> lists.</summary>
public sealed partial class ContainerCgroup
{
    /// <summary>Sets every limit of <paramref name="resources"/> and the device rules.</summary>
    /// <param name="resources">Null: no limits, and the default device rules.</param>
    /// <param name="notes">Takes sentences on limits that hold in another way than asked.</param>
    /// <exception cref="CgroupException">A limit cannot be set: which, in which file, and what to do. Those before it are set.</exception>
    public void Apply(LinuxResources? resources, IList<string>? notes = null)
    {
        Update(resources ?? new LinuxResources(), notes);
        ApplyDevices(resources);
    }

    /// <summary>Changes limits of a running container; the device rules stay.</summary>
    /// <exception cref="CgroupException">As <see cref="Apply"/>.</exception>
    public void Update(LinuxResources resources, IList<string>? notes = null)
    {
        if (resources.Memory is { CheckBeforeUpdate: true, Limit: > 0 } wanted && Stats().MemoryUsage > (ulong)wanted.Limit)
        {
            throw new CgroupException($"memory limit (--memory) {wanted.Limit}: the container uses {Stats().MemoryUsage} bytes already");
        }

        IReadOnlyList<CgroupWrite> plan = CgroupPlan.Build(_host, _fresh ? resources : WithCurrent(resources), _fresh);
        const string both = "memory.memsw.limit_in_bytes";
        CgroupDirectory? legacy = !_fresh && In("memory") is { Hierarchy.IsUnified: false } memory ? memory : null;
        string? before = legacy?.TryRead(both, out _);
        _fresh = false;
        try
        {
            foreach (CgroupWrite write in plan)
            {
                Perform(write, notes);
            }
        }
        catch (CgroupException) when (before is not null)
        {
            // The plan widens it first; a refused memory limit must not leave swap unlimited. Refused: the new limit is above it.
            legacy!.TryWrite(both, before);
            throw;
        }
    }

    private void Perform(CgroupWrite write, IList<string>? notes)
    {
        CgroupDirectory directory = _directories.Find(candidate => candidate.Hierarchy == write.Hierarchy)
            ?? throw new CgroupException($"{write.Limit}: the container has no cgroup in {write.Hierarchy.MountPoint}");
        Errno errno = directory.TryWrite(write.File, write.Value);
        if (errno == Errno.None)
        {
            return;
        }

        if (errno == Errno.ENOENT && write.Otherwise is { } otherwise)
        {
            Perform(otherwise, notes);
            return;
        }

        if (errno == Errno.ENOENT && write.HoldsWithout?.Invoke() is { } reason)
        {
            if (reason.Length > 0)
            {
                notes?.Add(reason);
            }

            return;
        }

        string? hint = errno == Errno.ENOENT ? WhyMissing(directory, write)
            : write.Hint is { } known && known.Errno == errno ? known.Text : null;
        throw new CgroupException(
            $"cannot set {write.Limit}: "
            + new SyscallException("write", $"{directory.FullPath}/{write.File}", errno, $"value={write.Value}", hint).Message,
            new SyscallException("write", $"{directory.FullPath}/{write.File}", errno));
    }

    private static string WhyMissing(CgroupDirectory directory, CgroupWrite write)
    {
        if (!directory.Exists)
        {
            return "the cgroup is gone";
        }

        string? reason = directory.Hierarchy.IsUnified ? UnifiedTree.WhyMissing(directory, write.Controller) : null;
        return reason ?? write.MissingHint ?? "this kernel has no such file";
    }
}
