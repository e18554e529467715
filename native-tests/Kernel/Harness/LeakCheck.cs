using Hull.Linux;
using Hull.Linux.Netlink;
using Hull.Linux.Netlink.Nftables;

namespace Hull.Kernel.Tests.Harness;

/// <summary>What a test must leave as it found it: mounts, cgroups, processes of the binary under test, staging directories;
/// network links, their addresses and nftables' tables, all of this process's network namespace.</summary>
public sealed class LeakCheck
{
    private readonly HullStore _store;
    private readonly HashSet<string> _before;

    private LeakCheck(HullStore store)
    {
        _store = store;
        _before = Snapshot(store);
    }

    /// <summary>Notes what is there now.</summary>
    public static LeakCheck Begin(HullStore store) => new(store);

    /// <summary>Fails when something new is still there after a few seconds (a monitor may be ending).</summary>
    public void AssertNothingLeft()
    {
        string[] left = [];
        Wait.Until(() => (left = [.. Snapshot(_store).Except(_before)]).Length == 0, 5, () => "left behind:\n" + string.Join('\n', left));
    }

    private static HashSet<string> Snapshot(HullStore store) =>
        [.. Mounts(), .. Cgroups(), .. Processes(), .. Links(), .. FirewallTables(), .. StagingDirectories(store)];

    private static IEnumerable<string> Mounts() =>
        File.ReadAllLines("/proc/self/mountinfo").Select(line => line.Split(' ')).Select(fields => $"mount {fields[4]} (id {fields[0]})");

    private static IEnumerable<string> Cgroups()
    {
        HashSet<string> hierarchies = [.. File.ReadAllLines("/proc/self/mountinfo")
            .Where(line => line.Contains(" - cgroup", StringComparison.Ordinal))
            .Select(line => line.Split(' ')[4])];
        foreach (string hierarchy in hierarchies)
        {
            foreach (string directory in Directory.EnumerateDirectories(hierarchy, "hull*"))
            {
                foreach (string child in Subdirectories(directory))
                {
                    yield return $"cgroup {child}";
                }
            }
        }
    }

    private static IEnumerable<string> Processes() => HullProcesses.All().Select(pid => $"process {pid} ({HullProcesses.CommandLine(pid)})");

    /// <summary>Not from /sys/class/net, which shows the namespace of whoever mounted it.</summary>
    private static IEnumerable<string> Links()
    {
        using Rtnetlink links = Rtnetlink.Open();
        return [.. links.Links().Select(link => $"network link {link.Name}"), .. links.Addresses().Select(address => $"network address {address}")];
    }

    private static List<string> FirewallTables()
    {
        try
        {
            using NftSocket tables = NftSocket.Open();
            return tables.Tables().ConvertAll(table => $"nftables table {table}");
        }
        catch (SyscallException e) when (e.Errno is Errno.EINVAL or Errno.EPROTONOSUPPORT)
        {
            // A kernel without nf_tables.
            return [];
        }
    }

    private static IEnumerable<string> StagingDirectories(HullStore store) => !Directory.Exists(store.DataRoot)
        ? []
        : Directory.EnumerateFileSystemEntries(store.DataRoot, "new-*", new EnumerationOptions { RecurseSubdirectories = true, MaxRecursionDepth = 2 })
            .Select(path => $"staging directory {path}");

    private static IEnumerable<string> Subdirectories(string directory)
    {
        string[] children;
        try
        {
            children = Directory.GetDirectories(directory);
        }
        catch (DirectoryNotFoundException)
        {
            // Removed by its monitor while we looked: not left behind.
            yield break;
        }

        foreach (string child in children)
        {
            yield return child;
            foreach (string below in Subdirectories(child))
            {
                yield return below;
            }
        }
    }
}
