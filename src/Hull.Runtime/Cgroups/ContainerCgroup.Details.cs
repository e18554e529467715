using System.Globalization;
using Hull.Linux.Cgroups;

namespace Hull.Runtime.Cgroups;

/// <summary>What only <c>hull runtime events</c> tells: the usual counts are read oftener, and these cost as much again.</summary>
public sealed partial class ContainerCgroup
{
    /// <summary>The numbers that runc tells of a v1 cpuset, by their files.</summary>
    private static readonly string[] CpusetFlags =
    [
        "cpu_exclusive", "mem_hardwall", "mem_exclusive", "memory_migrate", "memory_spread_page", "memory_spread_slab", "memory_pressure",
        "sched_load_balance", "sched_relax_domain_level",
    ];

    /// <summary><see cref="Stats"/> and all the rest.</summary>
    public CgroupStats DetailedStats()
    {
        CgroupStats stats = Stats();
        if (In("cpuacct")?.TryRead("cpuacct.usage_percpu", out _) is { } processors)
        {
            stats = stats with { CpuPerProcessor = [.. processors.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(Count)] };
        }

        if ((In("cpu") ?? Unified) is { } cpu)
        {
            stats = stats with { CpuPeriods = cpu.ReadKey("cpu.stat", "nr_periods") };
        }

        if (In("cpuset") is { } cpuset)
        {
            stats = stats with { Cpuset = CpusetOf(cpuset) };
        }

        return WithHugePages(WithBlockDevices(In("memory") is { } memory ? WithMemory(stats, memory) : stats));
    }

    private static CpusetStats CpusetOf(CgroupDirectory cpuset)
    {
        Dictionary<string, string> flags = new(StringComparer.Ordinal);
        foreach (string flag in cpuset.Hierarchy.IsUnified ? [] : CpusetFlags)
        {
            // Null: the cgroup was removed meanwhile, or its root alone has the file.
            if (cpuset.TryRead($"cpuset.{flag}", out _) is { Length: > 0 } value)
            {
                flags[flag] = value;
            }
        }

        return new CpusetStats(Numbers("cpus"), Numbers("mems"), flags);

        // On v2 the file of that name may be empty: all that the parent has.
        IReadOnlyList<int> Numbers(string kind) =>
            cpuset.TryRead(cpuset.Hierarchy.IsUnified ? $"cpuset.{kind}.effective" : $"cpuset.{kind}", out _) is { Length: > 0 } list
                ? CpuList.Parse(list, $"cpuset.{kind}").Numbers
                : [];
    }

    private static CgroupStats WithMemory(CgroupStats stats, CgroupDirectory memory)
    {
        bool unified = memory.Hierarchy.IsUnified;
        ulong? swap = memory.ReadNumber(unified ? "memory.swap.current" : "memory.memsw.usage_in_bytes");
        ulong? swapLimit = Limited(memory.ReadNumber(unified ? "memory.swap.max" : "memory.memsw.limit_in_bytes"));
        Dictionary<string, ulong> counts = Keys(memory.TryRead("memory.stat", out _) ?? "");
        return stats with
        {
            MemoryPeak = memory.ReadNumber(unified ? "memory.peak" : "memory.max_usage_in_bytes"),
            MemoryFailures = unified ? null : memory.ReadNumber("memory.failcnt"),
            MemoryCounts = counts,
            SwapUsage = unified ? swap + stats.MemoryUsage : swap,
            SwapLimit = unified ? swapLimit + stats.MemoryLimit : swapLimit,
            KernelTcp = unified ? null : new MemoryUse(
                memory.ReadNumber("memory.kmem.tcp.usage_in_bytes"),
                memory.ReadNumber("memory.kmem.tcp.max_usage_in_bytes"),
                memory.ReadNumber("memory.kmem.tcp.failcnt"),
                Limited(memory.ReadNumber("memory.kmem.tcp.limit_in_bytes"))),
            KernelUsage = !unified ? memory.ReadNumber("memory.kmem.usage_in_bytes") : counts.TryGetValue("kernel", out ulong kernel) ? kernel : null,
        };
    }

    private CgroupStats WithBlockDevices(CgroupStats stats)
    {
        if (In("io")?.TryRead("io.stat", out _) is { } text)
        {
            return stats with { BlockBytes = Unified("rbytes=", "wbytes="), BlockRequests = Unified("rios=", "wios=") };
        }

        return In("blkio") is not { } legacy ? stats : stats with
        {
            BlockBytes = Legacy("blkio.throttle.io_service_bytes_recursive"),
            BlockRequests = Legacy("blkio.throttle.io_serviced_recursive"),
        };

        // 8:0 rbytes=4096 wbytes=0 rios=1 …
        List<BlockCount> Unified(string read, string write)
        {
            List<BlockCount> counts = [];
            foreach (string[] words in Lines(text))
            {
                foreach ((string key, string operation) in (ReadOnlySpan<(string, string)>)[(read, "Read"), (write, "Write")])
                {
                    if (Array.Find(words, word => word.StartsWith(key, StringComparison.Ordinal)) is { } found)
                    {
                        Add(counts, words[0], operation, found[key.Length..]);
                    }
                }
            }

            return counts;
        }

        // 8:0 Read 4096; the last line is the sum of all.
        List<BlockCount> Legacy(string file)
        {
            List<BlockCount> counts = [];
            foreach (string[] words in Lines(legacy.TryRead(file, out _) ?? ""))
            {
                if (words.Length == 3)
                {
                    Add(counts, words[0], words[1], words[2]);
                }
            }

            return counts;
        }
    }

    private CgroupStats WithHugePages(CgroupStats stats)
    {
        if (In("hugetlb") is not { } directory)
        {
            return stats;
        }

        Dictionary<string, (ulong, ulong, ulong)> pages = new(StringComparer.Ordinal);
        string usage = directory.Hierarchy.IsUnified ? ".current" : ".usage_in_bytes";
        // Removed meanwhile: it has none.
        foreach (string path in directory.Exists ? Directory.GetFiles(directory.FullPath, "hugetlb.*" + usage) : [])
        {
            string file = System.IO.Path.GetFileName(path);
            string size = file["hugetlb.".Length..^usage.Length];
            if (!size.Contains('.', StringComparison.Ordinal))
            {
                // hugetlb.2MB.rsvd.current counts reservations; v2 keeps no peak.
                pages[size] = (
                    directory.ReadNumber(file) ?? 0,
                    directory.ReadNumber($"hugetlb.{size}.max_usage_in_bytes") ?? 0,
                    (directory.Hierarchy.IsUnified ? directory.ReadKey($"hugetlb.{size}.events", "max") : directory.ReadNumber($"hugetlb.{size}.failcnt")) ?? 0);
            }
        }

        return stats with { HugePages = pages };
    }

    private static void Add(List<BlockCount> counts, string device, string operation, string value)
    {
        int colon = device.IndexOf(':', StringComparison.Ordinal);
        if (colon > 0)
        {
            counts.Add(new BlockCount(Count(device[..colon]), Count(device[(colon + 1)..]), operation, Count(value)));
        }
    }

    private static Dictionary<string, ulong> Keys(string text)
    {
        Dictionary<string, ulong> counts = new(StringComparer.Ordinal);
        foreach (string[] words in Lines(text))
        {
            if (words.Length == 2)
            {
                counts[words[0]] = Count(words[1]);
            }
        }

        return counts;
    }

    private static IEnumerable<string[]> Lines(string text) =>
        text.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries));

    private static ulong Count(string text) => ulong.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out ulong value) ? value : 0;
}
