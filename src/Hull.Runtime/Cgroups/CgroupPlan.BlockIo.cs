using Hull.Linux;
using Hull.Linux.Cgroups;
using Hull.Oci.RuntimeSpec;

namespace Hull.Runtime.Cgroups;

/// <summary>Block devices: weights and rates.</summary>
public sealed partial class CgroupPlan
{
    private const string WeightLimit = "block I/O weight (--blkio-weight, --blkio-weight-device)";
    private const string RateLimit = "block I/O rate (--device-read-bps and its like)";
    private const string WeightHint = "weights need the bfq scheduler (/sys/block/DEVICE/queue/scheduler) or, on v2, io.cost";

    private static readonly (Errno, string) WholeDisk = (Errno.ENODEV, "the number of a whole disk is wanted, not a partition's");

    private void AddBlockIo(BlockIoResources io)
    {
        if (io.LeafWeight is > 0 || (io.WeightDevice ?? []).Any(device => device.LeafWeight is > 0))
        {
            throw new CgroupException("block I/O leaf weight: the kernel has had none since the CFQ scheduler went (Linux 5.0)");
        }

        if (io.Weight is { } weight and not 0)
        {
            AddWeight("", weight);
        }

        foreach (WeightDevice device in io.WeightDevice ?? [])
        {
            if (device.Weight is { } own and not 0)
            {
                AddWeight($"{device.Major}:{device.Minor} ", own);
            }
        }

        AddRates(io.ThrottleReadBpsDevice, "blkio.throttle.read_bps_device", "rbps");
        AddRates(io.ThrottleWriteBpsDevice, "blkio.throttle.write_bps_device", "wbps");
        AddRates(io.ThrottleReadIOPSDevice, "blkio.throttle.read_iops_device", "riops");
        AddRates(io.ThrottleWriteIOPSDevice, "blkio.throttle.write_iops_device", "wiops");
    }

    private void AddWeight(string device, ushort weight)
    {
        if (weight is < 10 or > 1000)
        {
            throw new CgroupException($"{WeightLimit} {weight}: 10 to 1000");
        }

        // bfq has its own files with the old scale; where it is not loaded, the kernel's common ones.
        CgroupHierarchy hierarchy = RequireBlockIo(WeightLimit);
        string controller = hierarchy.IsUnified ? "io" : "blkio";
        string bfq = device.Length == 0 || hierarchy.IsUnified ? $"{controller}.bfq.weight" : "blkio.bfq.weight_device";
        (string file, string value) = hierarchy.IsUnified
            ? ("io.weight", device + Number(CpuWeight.FromBlockIo(weight)))
            : (device.Length == 0 ? "blkio.weight" : "blkio.weight_device", device + Number((long)weight));
        _writes.Add(new CgroupWrite(hierarchy, controller, bfq, device + Number((long)weight), WeightLimit)
        {
            MissingHint = WeightHint,
            Otherwise = new CgroupWrite(hierarchy, controller, file, value, WeightLimit) { MissingHint = WeightHint },
        });
    }

    private void AddRates(IReadOnlyList<ThrottleDevice>? devices, string legacyFile, string key)
    {
        foreach (ThrottleDevice device in devices ?? [])
        {
            CgroupHierarchy hierarchy = RequireBlockIo(RateLimit);
            string number = $"{device.Major}:{device.Minor}";
            _writes.Add(hierarchy.IsUnified
                ? new CgroupWrite(hierarchy, "io", "io.max", $"{number} {key}={(device.Rate == 0 ? "max" : Number(device.Rate))}", RateLimit)
                {
                    Hint = WholeDisk,
                }
                : new CgroupWrite(hierarchy, "blkio", legacyFile, $"{number} {Number(device.Rate)}", RateLimit)
                {
                    Hint = WholeDisk,
                    MissingHint = "is CONFIG_BLK_DEV_THROTTLING in this kernel?",
                });
        }
    }

    /// <summary>io (v2) or blkio (v1), two names of one controller.</summary>
    private CgroupHierarchy RequireBlockIo(string limit) =>
        _host.Unified is { } unified && unified.Has("io") ? unified
            : _host.Find("blkio") ?? throw new CgroupException($"{limit}: {NoController(_host.Layout == CgroupLayout.Unified ? "io" : "blkio")}");
}
