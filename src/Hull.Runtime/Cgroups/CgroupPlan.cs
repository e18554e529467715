using System.Globalization;
using Hull.Linux;
using Hull.Linux.Cgroups;
using Hull.Oci.RuntimeSpec;

namespace Hull.Runtime.Cgroups;

/// <summary>A spec's limits as the list of values to write, for the interface (v1 or v2) that each controller has on this
/// host. Nothing is written here.</summary>
/// <remarks>config-linux.md, "Control groups"; Documentation/admin-guide/cgroup-v2.rst and cgroup-v1/ of the kernel. A limit is
/// never left out: one that this host cannot give is a <see cref="CgroupException"/>.</remarks>
public sealed partial class CgroupPlan
{
    private readonly CgroupHost _host;
    private readonly bool _fresh;
    private readonly List<CgroupWrite> _writes = [];

    private CgroupPlan(CgroupHost host, bool fresh)
    {
        _host = host;
        _fresh = fresh;
    }

    /// <summary>The values for <paramref name="resources"/>, in the order they must be written.
    /// Devices are not among them, see <see cref="DeviceRules"/>.</summary>
    /// <param name="fresh">The cgroup has just been made: nothing has to be widened before it is narrowed.</param>
    /// <exception cref="CgroupException">A value is out of range, or the host lacks the controller.</exception>
    public static IReadOnlyList<CgroupWrite> Build(CgroupHost host, LinuxResources resources, bool fresh)
    {
        CgroupPlan plan = new(host, fresh);
        if (resources.Memory is { } memory)
        {
            plan.AddMemory(memory);
        }

        if (resources.Pids is { } pids)
        {
            plan.AddPids(pids);
        }

        if (resources.Cpu is { } cpu)
        {
            plan.AddCpu(cpu);
            plan.AddCpuset(cpu);
        }

        if (resources.BlockIO is { } blockIo)
        {
            plan.AddBlockIo(blockIo);
        }

        plan.AddHugePages(resources.HugepageLimits ?? []);
        plan.AddRdma(resources.Rdma);
        if (resources.Network is { } network)
        {
            plan.AddNetwork(network);
        }

        if (resources.Unified is { } unified)
        {
            plan.AddUnified(unified);
        }

        return plan._writes;
    }

    private void AddPids(PidsResources pids)
    {
        const string limit = "process limit (--pids-limit)";
        bool unlimited = pids.Limit <= 0;
        if (unlimited && (_fresh || _host.Find("pids") is null))
        {
            return;
        }

        Add("pids", limit, _ => ("pids.max", OrMax(unlimited ? -1 : pids.Limit)));
    }

    private void AddHugePages(IReadOnlyList<HugepageLimit> limits)
    {
        foreach (HugepageLimit page in limits)
        {
            string limit = $"huge page limit ({page.PageSize})";
            if (page.PageSize.Contains('/', StringComparison.Ordinal))
            {
                throw new CgroupException($"{limit}: not a page size");
            }

            CgroupHierarchy hierarchy = Require("hugetlb", limit);
            string value = Number(page.Limit);
            (string used, string reserved) = hierarchy.IsUnified
                ? ($"hugetlb.{page.PageSize}.max", $"hugetlb.{page.PageSize}.rsvd.max")
                : ($"hugetlb.{page.PageSize}.limit_in_bytes", $"hugetlb.{page.PageSize}.rsvd.limit_in_bytes");
            string hint = "the page sizes of this machine are in /sys/kernel/mm/hugepages";
            _writes.Add(new CgroupWrite(hierarchy, "hugetlb", used, value, limit) { MissingHint = hint });
            _writes.Add(new CgroupWrite(hierarchy, "hugetlb", reserved, value, limit)
            {
                // Linux 5.7: pages reserved, not only touched. Before it the limit on use holds alone.
                HoldsWithout = () => "",
            });
        }
    }

    private void AddRdma(IReadOnlyDictionary<string, RdmaLimit>? limits)
    {
        foreach ((string device, RdmaLimit rdma) in limits ?? new Dictionary<string, RdmaLimit>())
        {
            string value = device
                + (rdma.HcaHandles is { } handles ? $" hca_handle={handles}" : "")
                + (rdma.HcaObjects is { } objects ? $" hca_object={objects}" : "");
            Add("rdma", $"RDMA limit ({device})", _ => ("rdma.max", value));
        }
    }

    private void AddNetwork(NetworkResources network)
    {
        if (network.ClassID is { } id)
        {
            const string limit = "network class id";
            RefuseUnified("net_cls", limit, "cgroup v2 has no net_cls: match the cgroup in nftables");
            Add("net_cls", limit, _ => ("net_cls.classid", Number(id)));
        }

        foreach (InterfacePriority priority in network.Priorities ?? [])
        {
            const string limit = "network priority";
            RefuseUnified("net_prio", limit, "cgroup v2 has no net_prio: match the cgroup in nftables");
            Add("net_prio", limit, _ => ("net_prio.ifpriomap", $"{priority.Name} {Number(priority.Priority)}"));
        }
    }

    private void AddUnified(IReadOnlyDictionary<string, string> files)
    {
        foreach ((string file, string value) in files.OrderBy(entry => entry.Key, StringComparer.Ordinal))
        {
            string limit = $"linux.resources.unified[\"{file}\"]";
            int dot = file.IndexOf('.', StringComparison.Ordinal);
            if (dot <= 0 || file.Contains('/', StringComparison.Ordinal))
            {
                throw new CgroupException($"{limit}: not the name of a cgroup v2 file");
            }

            // Attributes (CVE-2023-6476): moving processes and handing out controllers is the runtime's, not a spec's.
            if (file is "cgroup.procs" or "cgroup.threads" or "cgroup.subtree_control" or "cgroup.kill" or "cgroup.freeze" or "cgroup.type")
            {
                throw new CgroupException($"{limit}: a spec may not write this file");
            }

            if (_host.Unified is not { } hierarchy)
            {
                throw new CgroupException($"{limit}: this host has no cgroup v2");
            }

            string controller = file[..dot];
            if (controller != "cgroup" && !hierarchy.Has(controller))
            {
                string where = _host.Find(controller) is { } legacy ? $"{controller} is bound to cgroup v1 at {legacy.MountPoint}" : NoController(controller);
                throw new CgroupException($"{limit}: {where}");
            }

            _writes.Add(new CgroupWrite(hierarchy, controller, file, value, limit));
        }
    }

    /// <summary>Adds one value; <paramref name="file"/> gives name and value for v2 (true) or v1.</summary>
    private void Add(string controller, string limit, Func<bool, (string File, string Value)> file, (Errno, string)? hint = null, string? missingHint = null)
    {
        CgroupHierarchy hierarchy = Require(controller, limit);
        (string name, string value) = file(hierarchy.IsUnified);
        _writes.Add(new CgroupWrite(hierarchy, controller, name, value, limit) { Hint = hint, MissingHint = missingHint });
    }

    private CgroupHierarchy Require(string controller, string limit) =>
        _host.Find(controller) ?? throw new CgroupException($"{limit}: {NoController(controller)}");

    private void RefuseUnified(string controller, string limit, string reason)
    {
        if (_host.Find(controller) is not { IsUnified: false } && _host.Unified is not null)
        {
            throw new CgroupException($"{limit}: {reason}");
        }
    }

    private string NoController(string controller)
    {
        string list = _host.Unified is { } unified ? $"{unified.MountPoint}/cgroup.controllers does not list it" : "no cgroup v2 is mounted";
        string legacy = _host.Layout == CgroupLayout.Unified ? "" : " and no cgroup v1 mount has it";
        string cure = controller == "memory" ? "boot with cgroup_enable=memory, or run without the limit" : "run without the limit";
        return $"this host has no {controller} controller: {list}{legacy} ({cure})";
    }

    private static string OrMax(long value) => value < 0 ? "max" : Number(value);

    private static string Number(long value) => value.ToString(CultureInfo.InvariantCulture);

    private static string Number(ulong value) => value.ToString(CultureInfo.InvariantCulture);
}
