using System.Globalization;
using Hull.Oci.RuntimeSpec;
using Hull.Runtime.Cgroups;

namespace Hull.Runtime.Systemd;

/// <summary>A spec's limits as properties of a scope (systemd.resource-control(5)).</summary>
/// <remarks>hull writes each limit into its file as well, exactly; systemd is told so that it writes the same, and not its own
/// defaults, when it is reloaded. What systemd has no property for is in the files alone.</remarks>
internal static class ScopeLimits
{
    private const ulong DefaultPeriod = 100_000;

    /// <summary>systemd keeps a quota in whole percent of a processor: this many microseconds a second.</summary>
    private const ulong Percent = 10_000;

    /// <exception cref="CgroupException">A set of processors or memory nodes is none.</exception>
    public static IReadOnlyList<UnitProperty> Of(LinuxResources? resources)
    {
        List<UnitProperty> properties = [];
        if (resources?.Memory is { } memory)
        {
            AddBytes(properties, "MemoryMax", memory.Limit);
            AddBytes(properties, "MemoryLow", memory.Reservation);
            // The spec counts memory and swap together, systemd and cgroup v2 swap alone.
            if (memory.Swap is < 0 || (memory.Swap > 0 && memory.Limit > 0 && memory.Swap >= memory.Limit))
            {
                properties.Add(new UnitProperty("MemorySwapMax", memory.Swap < 0 ? UnitProperty.Unlimited : (ulong)(memory.Swap.Value - memory.Limit!.Value)));
            }
        }

        if (resources?.Cpu is { } cpu)
        {
            AddCpu(properties, cpu);
        }

        if (resources?.Pids is { } pids)
        {
            properties.Add(new UnitProperty("TasksMax", pids.Limit > 0 ? (ulong)pids.Limit : UnitProperty.Unlimited));
        }

        foreach ((string file, string value) in resources?.Unified ?? new Dictionary<string, string>())
        {
            AddUnified(properties, file, value.Trim());
        }

        return properties;
    }

    private static void AddCpu(List<UnitProperty> properties, CpuResources cpu)
    {
        if (cpu.Shares is >= CpuWeight.LeastShares and <= CpuWeight.MostShares)
        {
            properties.Add(new UnitProperty("CPUWeight", CpuWeight.FromShares(cpu.Shares.Value)));
        }

        if (cpu.Quota is not (null or 0) || cpu.Period is > 0)
        {
            AddQuota(properties, cpu.Quota ?? 0, cpu.Period ?? 0);
        }

        AddSet(properties, "AllowedCPUs", cpu.Cpus);
        AddSet(properties, "AllowedMemoryNodes", cpu.Mems);
    }

    private static void AddQuota(List<UnitProperty> properties, long quota, ulong period)
    {
        if (period > 0)
        {
            properties.Add(new UnitProperty("CPUQuotaPeriodUSec", period));
        }

        // Rounded up: a smaller quota than the file's would not let hull write the file's.
        ulong perSecond = quota <= 0 ? UnitProperty.Unlimited : (ulong)((UInt128)quota * 1_000_000 / (period > 0 ? period : DefaultPeriod));
        properties.Add(new UnitProperty("CPUQuotaPerSecUSec", perSecond == UnitProperty.Unlimited ? perSecond : (perSecond + Percent - 1) / Percent * Percent));
    }

    /// <summary>The files of <c>unified</c> that are the same as a property.</summary>
    private static void AddUnified(List<UnitProperty> properties, string file, string value)
    {
        string? name = file switch
        {
            "cpu.weight" => "CPUWeight",
            "memory.min" => "MemoryMin",
            "memory.low" => "MemoryLow",
            "memory.high" => "MemoryHigh",
            "memory.max" => "MemoryMax",
            "memory.swap.max" => "MemorySwapMax",
            "pids.max" => "TasksMax",
            _ => null,
        };
        if (name is not null && (value == "max" || ulong.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out _)))
        {
            properties.Add(new UnitProperty(name, value == "max" ? UnitProperty.Unlimited : ulong.Parse(value, CultureInfo.InvariantCulture)));
        }
        else if (file == "cpu.max")
        {
            string[] words = value.Split(' ');
            AddQuota(properties,
                long.TryParse(words[0], NumberStyles.None, CultureInfo.InvariantCulture, out long quota) ? quota : -1,
                words.Length > 1 && ulong.TryParse(words[1], NumberStyles.None, CultureInfo.InvariantCulture, out ulong period) ? period : 0);
        }
        else if (file is "cpuset.cpus" or "cpuset.mems")
        {
            AddSet(properties, file == "cpuset.cpus" ? "AllowedCPUs" : "AllowedMemoryNodes", value);
        }
    }

    private static void AddBytes(List<UnitProperty> properties, string name, long? value)
    {
        if (value is { } bytes and not 0)
        {
            properties.Add(new UnitProperty(name, bytes < 0 ? UnitProperty.Unlimited : (ulong)bytes));
        }
    }

    private static void AddSet(List<UnitProperty> properties, string name, string? list)
    {
        if (!string.IsNullOrEmpty(list))
        {
            properties.Add(new UnitProperty(name, CpuList.Parse(list, name).ToMask()));
        }
    }
}
