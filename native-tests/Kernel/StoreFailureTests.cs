using System.Security.Cryptography;
using Hull.Kernel.Tests.Harness;

namespace Hull.Kernel.Tests;

/// <summary>The image store when the disk is full, when everything is killed, and what it leaves to a power cut: <c>system check</c> has
/// the last word.</summary>
public sealed class StoreFailureTests(HullStore store) : KernelTest(store)
{
    [KernelFact(Needs.Root)]
    public void DiskFull_RemovingAndCollecting_MakeRoom()
    {
        string small = Path.Combine(Store.Scratch, "brim");
        Store.Shell($"mkdir {small} && mount -t tmpfs -o size=16m brim {small}").Ok();
        string hull = $"HULL_DATA_ROOT={small}/data $HULL";
        try
        {
            Store.Shell($"{hull} load -i {Repository.Fixture("busybox")} && {hull} tag busybox other:1 && {hull} create --name maker busybox true").Ok();
            Store.Shell($"{hull} commit maker unused:1 && {hull} rm maker").Ok();
            Store.Shell($"dd if=/dev/zero of={small}/filler bs=4k 2>/dev/null; true").Ok();

            Assert.Equal("Untagged: other:1", Store.Shell($"{hull} rmi other:1").Ok());
            Assert.StartsWith("Untagged: unused:1\nDeleted: sha256:", Store.Shell($"{hull} rmi unused:1").Ok(), StringComparison.Ordinal);
            Assert.Contains("image busybox:latest: removed", Store.Shell($"{hull} system gc --min-age 0s").Ok(), StringComparison.Ordinal);

            Assert.StartsWith("no damage: 0 images, 0 layers, 0 blobs", Store.Shell($"{hull} system check").Ok(), StringComparison.Ordinal);
            // There is room again for what was removed.
            Store.Shell($"{hull} load -i {Repository.Fixture("busybox")}").Ok();
        }
        finally
        {
            Store.Shell($"umount {small}").Ok();
        }
    }

    [KernelFact(Needs.Registry)]
    public void EverythingAtOnce_KilledAtRandomInstants_LeavesNoDamage()
    {
        using RegistryServer registry = new(Path.Combine(Store.Scratch, "registry"), Store.Scratch);
        for (int i = 0; i < 3; i++)
        {
            (byte[] layer, string diffId) = RegistryServer.Layer($"file{i}", RandomNumberGenerator.GetBytes(1 << 20));
            registry.PushImage("killed", $"{i}", layer, diffId);
        }

        Store.Run("run", "--name", "source", Store.Busybox, "sh", "-c", "head -c 300000 /dev/urandom > /data").Ok();
        Random random = new(7);
        for (int round = 0; round < 8; round++)
        {
            string pulled = $"{registry.Host}/killed:{round % 3}";
            HullProcess[] running =
            [
                Store.Start("pull", pulled), Store.Start("load", "-i", Repository.Fixture("busybox")), Store.Start("commit", "source", $"made:{round}"),
                Store.Start("rmi", "-f", $"{registry.Host}/killed:{(round + 1) % 3}", $"made:{round - 1}"), Store.Start("system", "gc"),
            ];
            foreach (HullProcess process in running.OrderBy(_ => random.Next()))
            {
                Thread.Sleep(random.Next(30) * Machine.TimeScale);
                process.Kill();
            }

            foreach (HullProcess process in running)
            {
                Wait.Until(() => process.HasExited, 10, () => "a killed process does not end");
                process.Dispose();
            }

            // What the killed leave is swept, and the index for other tools written anew, by whoever comes next.
            Assert.All(
                Store.Run(60, "system", "check").Stdout.Split('\n').Where(line => line.StartsWith("damage", StringComparison.Ordinal)),
                line => Assert.Matches("new-.*: left by a process that was killed|^damage: images/index.json: does not list the images", line));
        }

        Store.Run(60, "system", "check", "--repair").Ok();
        Assert.StartsWith("no damage: ", Store.Run(60, "system", "check").Ok(), StringComparison.Ordinal);
        Store.Run(60, "pull", $"{registry.Host}/killed:0").Ok();
        Store.Run("run", "--rm", Store.Busybox, "true").Ok();
        Store.RemoveContainers();
        Store.Run(60, "image", "prune", "-af").Ok();
    }

    [KernelFact(Needs.Root | Needs.Strace)]
    public void Load_UnderStrace_SyncsContentThenNamesThenTheRecord()
    {
        using HullStore fresh = new();
        string trace = Path.Combine(fresh.Scratch, "trace");
        fresh.Shell($"strace -f -qq -y -e trace=fsync,syncfs,rename,renameat,renameat2 -o {trace} $HULL load -i {Repository.Fixture("busybox")}").Ok();
        string[] calls = File.ReadAllLines(trace);
        int First(string call, string path) => Array.FindIndex(calls, line => line.Contains($" {call}(", StringComparison.Ordinal) && line.Contains(path, StringComparison.Ordinal));
        int Last(string call, string path) => Array.FindLastIndex(calls, line => line.Contains($" {call}(", StringComparison.Ordinal) && line.Contains(path, StringComparison.Ordinal));
        string record = Path.Combine("images/records", Path.GetFileName(Directory.GetFiles(Path.Combine(fresh.DataRoot, "images/records")).Single()));

        int[] order =
        [
            First("syncfs", "/layers/new-"), First("renameat", "/blobs/sha256/"), Last("renameat", "/blobs/sha256/"), First("fsync", "/blobs/sha256>"),
            First("fsync", "/images/records/new-"), First("renameat", record), First("fsync", "/images/records>"),
        ];

        Assert.DoesNotContain(-1, order);
        Assert.Equal(order.Order(), order);
        Assert.InRange(First("renameat2", "/layers/"), First("syncfs", "/layers/new-"), First("fsync", "/layers>"));
        Assert.InRange(First("fsync", "/layers>"), 0, First("fsync", "/images/records/new-"));

        // What is not of the layer is synced by itself before it has its name.
        Assert.Equal(2, calls.Count(line => line.Contains(" fsync(", StringComparison.Ordinal) && line.Contains("/images/staging/new-", StringComparison.Ordinal)));
    }
}
