using System.Text.Json;
using Hull.Runtime.Cgroups;

namespace Hull.Cli.Runtime;

/// <summary>The data of a stats event in runc's shape (its types/events.go): a count that the host does not keep is left out.</summary>
internal static class RuntimeStats
{
    public static void Write(Utf8JsonWriter json, CgroupStats stats)
    {
        json.WriteStartObject();
        json.WriteStartObject("cpu"u8);
        json.WriteStartObject("usage"u8);
        Number(json, "total", stats.CpuNanoseconds);
        if (stats.CpuPerProcessor is { } processors)
        {
            json.WriteStartArray("percpu"u8);
            foreach (ulong processor in processors)
            {
                json.WriteNumberValue(processor);
            }

            json.WriteEndArray();
        }

        Number(json, "kernel", stats.CpuSystemNanoseconds);
        Number(json, "user", stats.CpuUserNanoseconds);
        json.WriteEndObject();
        json.WriteStartObject("throttling"u8);
        Number(json, "periods", stats.CpuPeriods);
        Number(json, "throttledPeriods", stats.CpuThrottledPeriods);
        Number(json, "throttledTime", stats.CpuThrottledNanoseconds);
        json.WriteEndObject();
        json.WriteEndObject();
        WriteCpuset(json, stats.Cpuset);
        WriteMemory(json, stats);
        json.WriteStartObject("pids"u8);
        Number(json, "current", stats.Pids);
        Number(json, "limit", stats.PidsLimit);
        json.WriteEndObject();
        json.WriteStartObject("blkio"u8);
        WriteBlocks(json, "ioServiceBytesRecursive", stats.BlockBytes);
        WriteBlocks(json, "ioServicedRecursive", stats.BlockRequests);
        json.WriteEndObject();
        json.WriteStartObject("hugetlb"u8);
        foreach ((string size, (ulong usage, ulong peak, ulong failures)) in stats.HugePages ?? new Dictionary<string, (ulong, ulong, ulong)>())
        {
            json.WriteStartObject(size);
            json.WriteNumber("usage"u8, usage);
            json.WriteNumber("max"u8, peak);
            json.WriteNumber("failcnt"u8, failures);
            json.WriteEndObject();
        }

        json.WriteEndObject();
        json.WriteEndObject();
    }

    private static void WriteCpuset(Utf8JsonWriter json, CpusetStats? cpuset)
    {
        json.WriteStartObject("cpuset"u8);
        if (cpuset is not null)
        {
            WriteList(json, "cpus", cpuset.Processors);
            WriteList(json, "mems", cpuset.MemoryNodes);
            foreach ((string flag, string value) in cpuset.Flags)
            {
                // A number, below zero too: sched_relax_domain_level as the machine has it.
                json.WritePropertyName(flag);
                json.WriteRawValue(value);
            }
        }

        json.WriteEndObject();
    }

    private static void WriteList(Utf8JsonWriter json, string name, IReadOnlyList<int> numbers)
    {
        json.WriteStartArray(name);
        foreach (int number in numbers)
        {
            json.WriteNumberValue(number);
        }

        json.WriteEndArray();
    }

    private static void WriteMemory(Utf8JsonWriter json, CgroupStats stats)
    {
        json.WriteStartObject("memory"u8);
        // v1 calls the page cache cache, v2 file.
        Number(json, "cache", stats.MemoryCounts is not { } counts ? null
            : counts.TryGetValue("cache", out ulong cache) || counts.TryGetValue("file", out cache) ? cache : null);
        WriteUse(json, "usage", stats.MemoryLimit, stats.MemoryUsage, stats.MemoryPeak, stats.MemoryFailures);
        WriteUse(json, "swap", stats.SwapLimit, stats.SwapUsage, null, null);
        WriteUse(json, "kernel", null, stats.KernelUsage, null, null);
        WriteUse(json, "kernelTCP", stats.KernelTcp?.Limit, stats.KernelTcp?.Usage, stats.KernelTcp?.Peak, stats.KernelTcp?.Failures);
        json.WriteStartObject("raw"u8);
        foreach ((string name, ulong value) in stats.MemoryCounts ?? new Dictionary<string, ulong>())
        {
            json.WriteNumber(name, value);
        }

        json.WriteEndObject();
        json.WriteEndObject();
    }

    private static void WriteUse(Utf8JsonWriter json, string name, ulong? limit, ulong? usage, ulong? peak, ulong? failures)
    {
        json.WriteStartObject(name);
        // runc's unlimited, math.MaxUint64.
        json.WriteNumber("limit"u8, limit ?? ulong.MaxValue);
        Number(json, "usage", usage);
        Number(json, "max", peak);
        // Always there, as runc's: it is not omitted when zero.
        json.WriteNumber("failcnt"u8, failures ?? 0);
        json.WriteEndObject();
    }

    private static void WriteBlocks(Utf8JsonWriter json, string name, IReadOnlyList<BlockCount> counts)
    {
        if (counts.Count == 0)
        {
            return;
        }

        json.WriteStartArray(name);
        foreach (BlockCount count in counts)
        {
            json.WriteStartObject();
            json.WriteNumber("major"u8, count.Major);
            json.WriteNumber("minor"u8, count.Minor);
            json.WriteString("op"u8, count.Operation);
            json.WriteNumber("value"u8, count.Value);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    private static void Number(Utf8JsonWriter json, string name, ulong? value)
    {
        if (value is { } number)
        {
            json.WriteNumber(name, number);
        }
    }
}
