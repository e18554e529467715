using System.Text;
using Hull.Cli.Runtime;
using Hull.Oci.RuntimeSpec;
using Hull.Runtime;

namespace Hull.Cli.Tests.Runtime;

public sealed class RuntimeUpdateTests
{
    [Fact]
    public void ResourcesOf_Options_EachInItsPlace()
    {
        LinuxResources resources = Of(
            "--memory 64m --memory-swap -1 --memory-reservation 1g --cpu-share 512 --cpu-period 50000 --cpu-quota -1 --cpu-burst 7 --cpu-idle 1"
            + " --cpu-rt-period 8 --cpu-rt-runtime 9 --cpuset-cpus 0-1 --cpuset-mems 0 --pids-limit 10 --blkio-weight 300");

        Assert.Equal(new MemoryResources { Limit = 64 << 20, Swap = -1, Reservation = 1 << 30 }, resources.Memory);
        Assert.Equal(
            new CpuResources
            {
                Shares = 512,
                Period = 50000,
                Quota = -1,
                Burst = 7,
                Idle = 1,
                RealtimePeriod = 8,
                RealtimeRuntime = 9,
                Cpus = "0-1",
                Mems = "0",
            },
            resources.Cpu);
        Assert.Equal((10, (ushort)300), (resources.Pids!.Limit, resources.BlockIO!.Weight!.Value));
    }

    [Fact]
    public void ResourcesOf_Nothing_IsNothing()
    {
        Assert.Equal(new LinuxResources(), Of("--kernel-memory 5"));
        Assert.Null(Of("--pids-limit 0").Pids);
    }

    [Theory]
    [InlineData("--memory 64x", "--memory 64x: invalid suffix")]
    [InlineData("--cpu-share many", "--cpu-share many: expected a number from 0 to 18446744073709551615")]
    [InlineData("--blkio-weight 70000", "--blkio-weight 70000: expected a number from 0 to 65535")]
    [InlineData("--l3-cache-schema L3:0=f", "Intel RDT is not supported")]
    [InlineData("--resources /no/such/file --memory 1g", "no other limit may be given beside it")]
    public void ResourcesOf_Wrong_SaysWhat(string options, string message) =>
        Assert.Contains(message, Assert.Throws<ContainerException>(() => Of(options)).Message, StringComparison.Ordinal);

    [Fact]
    public void ReadResources_Document_ZeroPidsAreUnchanged()
    {
        string file = Path.GetTempFileName();
        try
        {
            File.WriteAllText(file, """{"memory":{"limit":1048576},"pids":{"limit":0}}""", new UTF8Encoding(false));
            Assert.Equal(new LinuxResources { Memory = new MemoryResources { Limit = 1 << 20 } }, Of($"--resources {file}"));
            File.WriteAllText(file, """{"memory":{"limit":"1m"}}""");
            Assert.Contains("memory.limit: expected a number", Assert.Throws<ContainerException>(() => Of($"--resources {file}")).Message, StringComparison.Ordinal);
        }
        finally
        {
            File.Delete(file);
        }
    }

    private static LinuxResources Of(string options) => RuntimeUpdate.ResourcesOf(RuntimeArguments.Parse($"update {options} web".Split(' ')));
}
