using Hull.Linux;
using Hull.Linux.Cgroups;
using Hull.Oci.RuntimeSpec;
using Microsoft.Win32.SafeHandles;

namespace Hull.Runtime.Cgroups;

/// <summary>Memory: limit, swap, reservation.</summary>
public sealed partial class CgroupPlan
{
    internal const string MemoryLimit = "memory limit (--memory)";
    private const string SwapLimit = "swap limit (--memory-swap)";

    private void AddMemory(MemoryResources memory)
    {
        long limit = memory.Limit ?? 0;
        long swap = SwapOf(memory);
        if (Require("memory", memory) is not { } hierarchy)
        {
            return;
        }

        if (hierarchy.IsUnified)
        {
            AddUnifiedMemory(hierarchy, memory, limit, swap);
        }
        else
        {
            AddLegacyMemory(hierarchy, memory, limit, swap);
        }
    }

    private void AddUnifiedMemory(CgroupHierarchy hierarchy, MemoryResources memory, long limit, long swap)
    {
        if (memory.Swappiness is not null)
        {
            throw new CgroupException("memory swappiness (--memory-swappiness): cgroup v2 has no memory.swappiness (only vm.swappiness for the whole host)");
        }

        if (memory.DisableOOMKiller == true)
        {
            throw new CgroupException("--oom-kill-disable: cgroup v2 cannot switch the OOM killer off (set a higher --memory)");
        }

        if (memory.Kernel > 0 || memory.KernelTCP > 0)
        {
            throw new CgroupException("kernel memory limit (--kernel-memory): cgroup v2 counts kernel memory in memory.max");
        }

        if (swap != 0)
        {
            // The spec counts memory and swap together, v2 swap alone.
            AddSwap(hierarchy, "memory.swap.max", OrMax(swap < 0 ? -1 : swap - limit));
        }

        if (limit != 0 && !(limit < 0 && _fresh))
        {
            _writes.Add(new CgroupWrite(hierarchy, "memory", "memory.max", OrMax(limit), MemoryLimit) { Hint = MemoryHint });
        }

        if (memory.Reservation is { } reservation and not 0)
        {
            _writes.Add(new CgroupWrite(hierarchy, "memory", "memory.low", OrMax(reservation), "memory reservation (--memory-reservation)"));
        }
    }

    private void AddLegacyMemory(CgroupHierarchy hierarchy, MemoryResources memory, long limit, long swap)
    {
        if (!_fresh && limit != 0)
        {
            // memory.limit_in_bytes may never be above memory.memsw.limit_in_bytes; widened for a moment, either may move
            // either way.
            AddSwap(hierarchy, "memory.memsw.limit_in_bytes", "-1");
        }

        if (limit != 0)
        {
            _writes.Add(new CgroupWrite(hierarchy, "memory", "memory.limit_in_bytes", Number(limit < 0 ? -1 : limit), MemoryLimit)
            {
                Hint = MemoryHint,
            });
        }

        if (swap != 0 && !(swap < 0 && _fresh))
        {
            AddSwap(hierarchy, "memory.memsw.limit_in_bytes", Number(swap < 0 ? -1 : swap));
        }

        void AddFile(string file, string value, string name) =>
            _writes.Add(new CgroupWrite(hierarchy, "memory", file, value, name));

        if (memory.Reservation is { } reservation and not 0)
        {
            AddFile("memory.soft_limit_in_bytes", Number(reservation < 0 ? -1 : reservation), "memory reservation (--memory-reservation)");
        }

        if (memory.Kernel is { } kernel and not 0)
        {
            AddFile("memory.kmem.limit_in_bytes", Number(kernel), "kernel memory limit (--kernel-memory)");
        }

        if (memory.KernelTCP is { } tcp and not 0)
        {
            AddFile("memory.kmem.tcp.limit_in_bytes", Number(tcp), "kernel TCP memory limit");
        }

        if (memory.Swappiness is { } swappiness)
        {
            AddFile(
                "memory.swappiness",
                swappiness <= 100 ? Number(swappiness) : throw new CgroupException($"memory swappiness (--memory-swappiness) {swappiness}: 0 to 100"),
                "memory swappiness (--memory-swappiness)");
        }

        if (memory.DisableOOMKiller is { } disabled && (disabled || !_fresh))
        {
            AddFile("memory.oom_control", disabled ? "1" : "0", "--oom-kill-disable");
        }
    }

    /// <summary>The tree for memory, or null where nothing is asked of it.</summary>
    private CgroupHierarchy? Require(string controller, MemoryResources memory)
    {
        bool asked = memory.Limit > 0 || memory.Swap > 0 || memory.Reservation > 0 || memory.Kernel > 0 || memory.KernelTCP > 0
            || memory.Swappiness is not null || memory.DisableOOMKiller == true;
        return asked ? Require(controller, MemoryLimit) : _host.Find(controller);
    }

    /// <summary>Memory and swap together: negative unlimited, 0 not said.</summary>
    private static long SwapOf(MemoryResources memory)
    {
        long limit = memory.Limit ?? 0;
        long swap = memory.Swap ?? 0;
        if (swap <= 0)
        {
            // As Docker: lifting the memory limit lifts the swap limit.
            return swap == 0 && limit < 0 ? -1 : swap;
        }

        if (limit <= 0)
        {
            throw new CgroupException($"{SwapLimit} {swap}: needs a memory limit as well (--memory)");
        }

        return swap >= limit
            ? swap
            : throw new CgroupException($"{SwapLimit} {swap}: is memory and swap together, so it must be at least the memory limit, {limit}");
    }

    private void AddSwap(CgroupHierarchy hierarchy, string file, string value) =>
        _writes.Add(new CgroupWrite(hierarchy, "memory", file, value, SwapLimit)
        {
            HoldsWithout = () => value is "max" or "-1" ? ""
                : HostHasSwap() ? null : $"{SwapLimit}: this kernel does not count swap ({file} is missing), and this host has none",
            MissingHint = "swap is not counted on this host: boot with swapaccount=1, or run with --memory-swap -1",
        });

    private static readonly (Errno, string) MemoryHint = (Errno.EBUSY, "the container uses more than that already");

    private static bool HostHasSwap()
    {
        using SafeFileHandle? swaps = Files.TryOpenAt(null, "/proc/swaps", OpenFlags.ReadOnly, 0, out Errno errno);
        if (swaps is null)
        {
            // ENOENT: a kernel without CONFIG_SWAP. Anything else: assume the worse.
            return errno != Errno.ENOENT;
        }

        // A heading, then a line a swap area.
        return Files.ReadAll(swaps, 1 << 20, "/proc/swaps").AsSpan().TrimEnd((byte)'\n').Contains((byte)'\n');
    }
}
