using Hull.Linux;
using Hull.Linux.Cgroups;
using Hull.Oci.RuntimeSpec;

namespace Hull.Runtime.Cgroups;

/// <summary>Processors: weight, quota, sets.</summary>
public sealed partial class CgroupPlan
{
    private const string SharesLimit = "processor shares (--cpu-shares)";
    private const string QuotaLimit = "processor quota (--cpus, --cpu-quota, --cpu-period)";

    // The kernel's bounds, kernel/sched/core.c: max_cfs_quota_period and min_cfs_quota_period.
    private const ulong ShortestPeriod = 1000;
    private const ulong LongestPeriod = 1_000_000;
    private const ulong DefaultPeriod = 100_000;
    private const long LeastQuota = 1000;

    private void AddCpu(CpuResources cpu)
    {
        if (cpu.Shares is { } shares and not 0)
        {
            if (shares is < CpuWeight.LeastShares or > CpuWeight.MostShares)
            {
                throw new CgroupException($"{SharesLimit} {shares}: {CpuWeight.LeastShares} to {CpuWeight.MostShares}");
            }

            Add("cpu", SharesLimit, unified => unified
                ? ("cpu.weight", Number(CpuWeight.FromShares(shares)))
                : ("cpu.shares", Number(shares)));
        }

        AddQuota(cpu);
        if (cpu.RealtimePeriod is > 0 || cpu.RealtimeRuntime is not (null or 0))
        {
            AddRealTime(cpu);
        }

        if (cpu.Idle is { } idle && (idle != 0 || !_fresh))
        {
            Add("cpu", "processor idle class", _ => ("cpu.idle", Number(idle)));
        }
    }

    private void AddQuota(CpuResources cpu)
    {
        ulong period = cpu.Period ?? 0;
        long quota = cpu.Quota ?? 0;
        ulong burst = cpu.Burst ?? 0;
        if (period is not 0 and (< ShortestPeriod or > LongestPeriod))
        {
            throw new CgroupException($"{QuotaLimit}: a period of {period} microseconds, {ShortestPeriod} to {LongestPeriod} are possible");
        }

        if (quota is > 0 and < LeastQuota)
        {
            throw new CgroupException($"{QuotaLimit}: a quota of {quota} microseconds, at least {LeastQuota} are possible");
        }

        if (period == 0 && quota == 0 && burst == 0)
        {
            return;
        }

        if (burst != 0 && quota <= 0)
        {
            throw new CgroupException($"processor burst {burst}: needs a quota (--cpu-quota)");
        }

        if (quota < 0 && _fresh && _host.Find("cpu") is null)
        {
            return;
        }

        CgroupHierarchy hierarchy = Require("cpu", QuotaLimit);
        void AddFile(string file, string value, bool mayMiss = false) =>
            _writes.Add(new CgroupWrite(hierarchy, "cpu", file, value, QuotaLimit)
            {
                Hint = (Errno.EINVAL, "a parent cgroup has a smaller quota"),
                HoldsWithout = mayMiss ? () => "" : null,
            });

        string burstFile = hierarchy.IsUnified ? "cpu.max.burst" : "cpu.cfs_burst_us";
        if (!_fresh && quota != 0)
        {
            // The burst may not be above the quota, and a quota may not be changed below it (Linux 5.14).
            AddFile(burstFile, "0", mayMiss: true);
        }

        if (hierarchy.IsUnified)
        {
            // Both in one value; a lone quota takes the default period, a lone period leaves the quota open.
            AddFile("cpu.max", $"{OrMax(quota <= 0 ? -1 : quota)} {Number(period == 0 ? DefaultPeriod : period)}");
        }
        else
        {
            if (!_fresh && quota != 0)
            {
                AddFile("cpu.cfs_quota_us", "-1");
            }

            if (period != 0)
            {
                AddFile("cpu.cfs_period_us", Number(period));
            }

            if (quota != 0 && !(quota < 0))
            {
                AddFile("cpu.cfs_quota_us", Number(quota));
            }
        }

        if (burst != 0)
        {
            AddFile(burstFile, Number(burst));
        }
    }

    private void AddRealTime(CpuResources cpu)
    {
        const string limit = "real-time processor limit (--cpu-rt-period, --cpu-rt-runtime)";
        if (_host.Find("cpu") is { IsUnified: true })
        {
            throw new CgroupException($"{limit}: cgroup v2 does not limit real-time processes");
        }

        const string hint = "does this kernel have CONFIG_RT_GROUP_SCHED, and has the parent cgroup runtime to give?";
        if (cpu.RealtimePeriod is { } period and not 0)
        {
            Add("cpu", limit, _ => ("cpu.rt_period_us", Number(period)), (Errno.EINVAL, hint), hint);
        }

        if (cpu.RealtimeRuntime is { } runtime and not 0)
        {
            Add("cpu", limit, _ => ("cpu.rt_runtime_us", Number(runtime)), (Errno.EINVAL, hint), hint);
        }
    }

    private void AddCpuset(CpuResources cpu)
    {
        AddSet(cpu.Cpus, "cpuset.cpus", "cpuset.cpus.effective", "processors (--cpuset-cpus)");
        AddSet(cpu.Mems, "cpuset.mems", "cpuset.mems.effective", "memory nodes (--cpuset-mems)");
    }

    /// <summary>A v2 cgroup takes a set that its parent does not have and silently runs on the parent's, so the set is compared
    /// with what there is first.</summary>
    private void AddSet(string? list, string file, string effective, string limit)
    {
        if (string.IsNullOrEmpty(list))
        {
            return;
        }

        CpuList wanted = CpuList.Parse(list, limit);
        CgroupHierarchy hierarchy = Require("cpuset", limit);
        using (CgroupDirectory root = hierarchy.Directory("/"))
        {
            if (root.TryRead(hierarchy.IsUnified ? effective : file, out _) is { Length: > 0 } text)
            {
                CpuList available = CpuList.Parse(text, $"{root.FullPath}/{file}");
                if (!available.Contains(wanted))
                {
                    throw new CgroupException($"{limit}: requested {list}, available {available}");
                }
            }
        }

        _writes.Add(new CgroupWrite(hierarchy, "cpuset", file, wanted.ToString(), limit)
        {
            Hint = (Errno.EACCES, "a parent cgroup has fewer"),
        });
    }
}
