using System.Diagnostics;
using Hull.Kernel.Tests.Harness;

namespace Hull.Kernel.Tests.Security;

/// <summary>A volume shared with a container that exchanges a directory and a link to the host as fast as it can, while
/// others are started on it (9.5 of the corpus). A thousand starts or some seconds each.</summary>
public sealed class RaceTests(HullStore store) : SecurityTest(store)
{
    private const int Iterations = 1000;
    private static readonly TimeSpan Enough = TimeSpan.FromSeconds(6);

    [KernelFact(Needs.Root)]
    public void Run_DestinationFlips_NothingIsMountedOrMadeOnTheHost_CVE_2021_30465_CVE_2024_45310()
    {
        string volume = Volume();
        Directory.CreateDirectory($"{volume}/dst");
        File.CreateSymbolicLink($"{volume}/link", Canary.Folder);
        string source = Directory.CreateDirectory($"{Store.Scratch}/source").FullName;
        using Flipper flipper = new($"{volume}/dst", $"{volume}/link");

        Repeat(() => Hull("run", "--rm", "-v", $"{volume}:/v", "-v", $"{source}:/v/dst/new/deep", Store.Busybox, "true"));

        Assert.True(flipper.Flips > 1000);
    }

    [KernelFact(Needs.Root)]
    public void Run_DestinationFlipsToTheRoot_NothingIsMountedOnTheHost_CVE_2021_30465()
    {
        string volume = Volume();
        Directory.CreateDirectory($"{volume}/dst");
        File.CreateSymbolicLink($"{volume}/link", "/");
        using Flipper flipper = new($"{volume}/dst", $"{volume}/link");

        Repeat(() => Hull("run", "--rm", "-v", $"{volume}:/v", "--tmpfs", $"/v/dst{Canary.Folder}", Store.Busybox, "true"));

        Assert.True(flipper.Flips > 1000);
    }

    [KernelFact(Needs.Root)]
    public void Run_ProcUnderAFlippingVolume_MasksHold_CVE_2019_19921_CVE_2023_27561_CVE_2025_52881()
    {
        string volume = Volume();
        foreach (string name in new[] { "real", "fake" })
        {
            Directory.CreateDirectory($"{volume}/{name}/self/attr");
            Directory.CreateDirectory($"{volume}/{name}/sys/kernel");
        }

        File.CreateSymbolicLink($"{volume}/link", Canary.Folder);
        using Flipper flipper = new($"{volume}/real", $"{volume}/link");
        string pattern = File.ReadAllText("/proc/sys/kernel/core_pattern");

        Repeat(() =>
        {
            RunResult result = Hull("run", "--rm", "--sysctl", "net.ipv4.ip_forward=1", "-v", $"{volume}:/v", "-v", $"{volume}/fake:/v/real", Store.Busybox,
                "sh", "-c", "head -c 10 /proc/kcore; head -c 10 /proc/keys; stat -f -c %t /proc");
            if (result.ExitCode == 0)
            {
                Assert.Equal("9fa0\n", result.Stdout); // PROC_SUPER_MAGIC, and nothing before it
            }

            return result;
        });
        Assert.Equal(pattern, File.ReadAllText("/proc/sys/kernel/core_pattern"));
    }

    [KernelFact(Needs.Root | Needs.Devices)]
    public void Run_DevNullFlips_MasksAreTheRealOne_CVE_2025_31133()
    {
        string volume = Volume();
        Store.Shell($"mknod {volume}/null c 1 3 && ln -s {Canary.File} {volume}/link").Ok();
        using Flipper flipper = new($"{volume}/null", $"{volume}/link");

        Repeat(() =>
        {
            RunResult result = Hull("run", "--rm", "-v", $"{volume}:/dev", Store.Busybox, "sh", "-c", "(echo pwned > /proc/timer_list) 2>&1; cat /proc/keys /proc/kcore | head -c 20");
            Assert.DoesNotContain("canary", result.Stdout, StringComparison.Ordinal);
            return result;
        });
    }

    [KernelFact(Needs.Root)]
    public void RunAndExec_WorkingDirectoryFlips_StaysInside_CVE_2026_55686()
    {
        string volume = Volume();
        Directory.CreateDirectory($"{volume}/dir");
        File.CreateSymbolicLink($"{volume}/link", Canary.Folder);
        string name = Detached("flipping-workdir", ["-v", $"{volume}:/v"]);
        using Flipper flipper = new($"{volume}/dir", $"{volume}/link");

        Repeat(() => Hull("exec", "-w", "/v/dir/new", name, "pwd"));
        Repeat(() => Hull("run", "--rm", "-v", $"{volume}:/v", "-w", "/v/dir/new", Store.Busybox, "pwd"));
    }

    [KernelFact(Needs.Root)]
    public void Start_RespawnedOntoFlippingMountpoints_HostUntouched_CVE_2015_3629_CVE_2024_45310()
    {
        string volume = Volume();
        Directory.CreateDirectory($"{volume}/dst");
        File.CreateSymbolicLink($"{volume}/link", Canary.Root);
        Hull("create", "--name", "flipping", "-v", $"{volume}:/v", "-v", $"{Store.Scratch}:/v/dst/dir/new", Store.Busybox, "true").Ok();
        using Flipper flipper = new($"{volume}/dst", $"{volume}/link");

        Repeat(() => Hull("start", "-a", "flipping"));
    }

    private string Volume() => Directory.CreateDirectory($"{Store.Scratch}/volume-{Guid.NewGuid():n}").FullName;

    private void Repeat(Func<RunResult> attempt)
    {
        Stopwatch watch = Stopwatch.StartNew();
        for (int i = 0; i < Iterations && watch.Elapsed < Enough; i++)
        {
            AssertWorkedOrRefused(attempt());
        }

        Canary.AssertIntact();
    }
}
