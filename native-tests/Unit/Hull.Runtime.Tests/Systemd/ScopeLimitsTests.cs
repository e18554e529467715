using Hull.Oci.RuntimeSpec;
using Hull.Runtime.Systemd;

namespace Hull.Runtime.Tests.Systemd;

public sealed class ScopeLimitsTests
{
    private static Dictionary<string, object> Of(LinuxResources resources) => ScopeLimits.Of(resources).ToDictionary(one => one.Name, one => one.Value);

    [Fact]
    public void Of_Nothing_SaysNothing() => Assert.Empty(ScopeLimits.Of(null));

    [Fact]
    public void Of_Memory_SwapIsCountedAlone()
    {
        Dictionary<string, object> properties = Of(new LinuxResources { Memory = new MemoryResources { Limit = 100, Swap = 150, Reservation = 50 } });

        Assert.Equal((100UL, 50UL, 50UL), ((ulong)properties["MemoryMax"], (ulong)properties["MemorySwapMax"], (ulong)properties["MemoryLow"]));
    }

    [Fact]
    public void Of_Negative_IsUnlimited()
    {
        Dictionary<string, object> properties = Of(new LinuxResources
        {
            Memory = new MemoryResources { Limit = -1, Swap = -1 },
            Pids = new PidsResources { Limit = -1 },
            Cpu = new CpuResources { Quota = -1 },
        });

        Assert.All(new[] { "MemoryMax", "MemorySwapMax", "TasksMax", "CPUQuotaPerSecUSec" }, name => Assert.Equal(ulong.MaxValue, properties[name]));
    }

    [Theory]
    // Microseconds a second, in whole percent of a processor and never less than asked.
    [InlineData(50_000, 100_000UL, 500_000UL)]
    [InlineData(1_234, 100_000UL, 20_000UL)]
    [InlineData(200_000, 0UL, 2_000_000UL)]
    public void Of_Quota_IsRoundedUp(long quota, ulong period, ulong perSecond) => Assert.Equal(
        perSecond, Of(new LinuxResources { Cpu = new CpuResources { Quota = quota, Period = period } })["CPUQuotaPerSecUSec"]);

    [Fact]
    public void Of_Sets_AreBitsFromTheLowestOn() => Assert.Equal(
        [0b10000011, 1, 0, 0, 0, 0, 0, 0], (byte[])Of(new LinuxResources { Cpu = new CpuResources { Cpus = "0-1,7-8" } })["AllowedCPUs"]);

    [Fact]
    public void Of_Unified_WhatIsAPropertyIsOne()
    {
        Dictionary<string, object> properties = Of(new LinuxResources
        {
            Unified = new Dictionary<string, string>
            {
                ["memory.high"] = "1000",
                ["memory.max"] = "max",
                ["cpu.max"] = "max 50000",
                ["pids.max"] = "7",
                ["io.weight"] = "5",
                ["cpuset.cpus"] = "0",
            },
        });

        Assert.Equal(
            ["AllowedCPUs", "CPUQuotaPerSecUSec", "CPUQuotaPeriodUSec", "MemoryHigh", "MemoryMax", "TasksMax"], properties.Keys.Order(StringComparer.Ordinal));
        Assert.Equal((1000UL, ulong.MaxValue, ulong.MaxValue, 7UL),
            ((ulong)properties["MemoryHigh"], (ulong)properties["MemoryMax"], (ulong)properties["CPUQuotaPerSecUSec"], (ulong)properties["TasksMax"]));
    }
}
