using System.Globalization;
using Hull.Linux;
using Hull.Oci;
using Hull.Oci.RuntimeSpec;

namespace Hull.Engine.Containers;

/// <summary><see cref="Resources"/>: checked as Docker checks them, and worded as the runtime-spec has them.</summary>
internal static class ResourceLimits
{
    private const long LeastMemory = 6 << 20;
    private const long DefaultPeriod = 100_000;

    /// <summary>No kernel has more (NR_CPUS); a range beyond it would only cost memory (CVE-2018-20699).</summary>
    private const int MostProcessors = 8192;

    /// <exception cref="EngineException">Invalid, with Docker's words.</exception>
    public static void Validate(Resources r)
    {
        Check(r.Memory == 0 || r.Memory >= LeastMemory, "Minimum memory limit allowed is 6MB");
        Check(!(r.Memory > 0 && r.MemorySwap > 0 && r.MemorySwap < r.Memory), "Minimum memoryswap limit should be larger than memory limit, see usage");
        Check(!(r.Memory == 0 && r.MemorySwap > 0), "You should always set the Memory limit when using Memoryswap limit, see usage");
        Check(r.MemorySwap >= -1, "invalid --memory-swap: a size, 0, or -1 for unlimited swap");
        Check(r.MemorySwappiness is null or (>= -1 and <= 100), $"Invalid value: {r.MemorySwappiness}, valid memory swappiness range is 0-100");
        Check(r.MemoryReservation == 0 || r.MemoryReservation >= LeastMemory, "Minimum memory reservation allowed is 6MB");
        Check(!(r.Memory > 0 && r.MemoryReservation > r.Memory), "Minimum memory limit can not be less than memory reservation limit, see usage");
        Check(!(r.NanoCpus > 0 && r.CpuPeriod > 0), "Conflicting options: Nano CPUs and CPU Period cannot both be set");
        Check(!(r.NanoCpus > 0 && r.CpuQuota > 0), "Conflicting options: Nano CPUs and CPU Quota cannot both be set");
        if (r.NanoCpus != 0)
        {
            int processors = Processors();
            Check(r.NanoCpus >= 10_000_000 && r.NanoCpus <= processors * 1_000_000_000L,
                $"Range of CPUs is from 0.01 to {processors}.00, as there are only {processors} CPUs available");
        }

        Check(r.CpuPeriod is 0 or (>= 1000 and <= 1_000_000), "CPU cfs period can not be less than 1ms (i.e. 1000) or larger than 1s (i.e. 1000000)");
        Check(r.CpuQuota is 0 or -1 or >= 1000, "CPU cfs quota can not be less than 1ms (i.e. 1000)");
        Check(r.CpuShares is 0 or (>= 2 and <= 262_144), $"invalid CPU shares ({r.CpuShares}): the range is 2 to 262144");
        Check(r.BlkioWeight is 0 or (>= 10 and <= 1000), "Range of blkio weight is from 10 to 1000");
        CheckProcessors("cpus", r.CpusetCpus);
        CheckProcessors("mems", r.CpusetMems);
        Check(r.PidsLimit >= -1, $"invalid --pids-limit {r.PidsLimit}: a number, 0 or -1 for unlimited");
        foreach (DeviceRate weight in r.BlkioWeightDevice ?? [])
        {
            Check(weight.Rate is 0 or (>= 10 and <= 1000), $"Range of blkio weight is from 10 to 1000 ({FlagText.Printable(weight.Path)})");
        }
    }

    /// <summary>The spec's form; device rules come from elsewhere.</summary>
    public static LinuxResources ToSpec(Resources? resources, IReadOnlyList<DeviceRule> devices, Func<string, FileMetadata?> stat)
    {
        if (resources is not { } r)
        {
            return new LinuxResources { Devices = devices };
        }

        return new LinuxResources
        {
            Devices = devices,
            Memory = Memory(r),
            Cpu = Cpu(r),
            Pids = r.PidsLimit > 0 ? new PidsResources { Limit = r.PidsLimit } : null,
            BlockIO = BlockIo(r, stat),
        };
    }

    private static MemoryResources? Memory(Resources r)
    {
        bool swappiness = r.MemorySwappiness is >= 0;
        return r.Memory == 0 && r.MemoryReservation == 0 && r.MemorySwap == 0 && !swappiness && !r.OomKillDisable ? null : new MemoryResources
        {
            Limit = NonZero(r.Memory),
            Reservation = NonZero(r.MemoryReservation),
            // Docker: without --memory-swap a container may swap as much as it may use memory.
            Swap = r.MemorySwap != 0 ? r.MemorySwap : r.Memory > 0 ? Math.Min(r.Memory, long.MaxValue / 2) * 2 : null,
            Swappiness = swappiness ? (ulong)r.MemorySwappiness!.Value : null,
            DisableOOMKiller = r.OomKillDisable ? true : null,
        };
    }

    private static CpuResources? Cpu(Resources r)
    {
        bool any = r.NanoCpus != 0 || r.CpuShares != 0 || r.CpuPeriod != 0 || r.CpuQuota != 0
            || r.CpuRealtimePeriod != 0 || r.CpuRealtimeRuntime != 0 || r.CpusetCpus is { Length: > 0 } || r.CpusetMems is { Length: > 0 };
        return !any ? null : new CpuResources
        {
            Shares = r.CpuShares > 0 ? (ulong)r.CpuShares : null,
            Period = r.NanoCpus > 0 ? DefaultPeriod : r.CpuPeriod > 0 ? (ulong)r.CpuPeriod : null,
            Quota = r.NanoCpus > 0 ? r.NanoCpus / (1_000_000_000 / DefaultPeriod) : NonZero(r.CpuQuota),
            RealtimePeriod = r.CpuRealtimePeriod > 0 ? (ulong)r.CpuRealtimePeriod : null,
            RealtimeRuntime = NonZero(r.CpuRealtimeRuntime),
            Cpus = r.CpusetCpus is { Length: > 0 } cpus ? cpus : null,
            Mems = r.CpusetMems is { Length: > 0 } mems ? mems : null,
        };
    }

    private static BlockIoResources? BlockIo(Resources r, Func<string, FileMetadata?> stat)
    {
        bool any = r.BlkioWeight != 0 || r.BlkioWeightDevice is not null || r.DeviceReadBps is not null || r.DeviceWriteBps is not null
            || r.DeviceReadIops is not null || r.DeviceWriteIops is not null;
        return !any ? null : new BlockIoResources
        {
            Weight = r.BlkioWeight != 0 ? (ushort)r.BlkioWeight : null,
            WeightDevice = Map(r.BlkioWeightDevice, stat, static (device, rate) =>
                new WeightDevice { Major = device.RawDeviceMajor, Minor = device.RawDeviceMinor, Weight = (ushort)rate }),
            ThrottleReadBpsDevice = Throttles(r.DeviceReadBps, stat),
            ThrottleWriteBpsDevice = Throttles(r.DeviceWriteBps, stat),
            ThrottleReadIOPSDevice = Throttles(r.DeviceReadIops, stat),
            ThrottleWriteIOPSDevice = Throttles(r.DeviceWriteIops, stat),
        };
    }

    private static List<ThrottleDevice>? Throttles(IReadOnlyList<DeviceRate>? rates, Func<string, FileMetadata?> stat) =>
        Map(rates, stat, static (device, rate) => new ThrottleDevice { Major = device.RawDeviceMajor, Minor = device.RawDeviceMinor, Rate = (ulong)rate });

    private static List<T>? Map<T>(IReadOnlyList<DeviceRate>? rates, Func<string, FileMetadata?> stat, Func<FileMetadata, long, T> make)
    {
        if (rates is null)
        {
            return null;
        }

        List<T> result = [];
        foreach (DeviceRate rate in rates)
        {
            FileMetadata device = stat(rate.Path) is { Type: FileType.BlockDevice } found
                ? found
                : throw EngineException.Invalid($"{FlagText.Printable(rate.Path)} is not a block device of this host");
            result.Add(make(device, rate.Rate));
        }

        return result;
    }

    private static long? NonZero(long value) => value != 0 ? value : null;

    /// <summary>How many processors the host has on line; the count of .NET would be that of our own cgroup.</summary>
    private static int Processors()
    {
        const string Online = "/sys/devices/system/cpu/online";
        using Microsoft.Win32.SafeHandles.SafeFileHandle? file = Files.TryOpenAt(null, Online, OpenFlags.ReadOnly, 0, out _);
        int count = file is null ? -1 : Count(System.Text.Encoding.ASCII.GetString(Files.ReadAll(file, 4096, Online)).Trim());
        return count > 0 ? count : Environment.ProcessorCount;
    }

    private static void CheckProcessors(string kind, string? list) =>
        Check(list is null or "" || Count(list) > 0, $"Invalid value {FlagText.Printable(list ?? "")} for cpuset {kind}");

    /// <summary>Members of <c>0-3,5</c>; -1 where it is no such list.</summary>
    private static int Count(string list)
    {
        int count = 0;
        foreach (Range range in list.AsSpan().Split(','))
        {
            ReadOnlySpan<char> part = list.AsSpan(range).Trim();
            int dash = part.IndexOf('-');
            if (!TryNumber(dash < 0 ? part : part[..dash], out int first) || !TryNumber(dash < 0 ? part : part[(dash + 1)..], out int last) || last < first)
            {
                return -1;
            }

            count += last - first + 1;
        }

        return count;
    }

    private static bool TryNumber(ReadOnlySpan<char> text, out int number) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out number) && number < MostProcessors;

    private static void Check(bool valid, string words)
    {
        if (!valid)
        {
            throw EngineException.Invalid(words);
        }
    }
}
