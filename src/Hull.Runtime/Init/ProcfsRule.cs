namespace Hull.Runtime.Init;

/// <summary>What may be mounted on or below /proc: the proc file system, and files that say nothing about security.</summary>
/// <remarks>A volume over /proc would let an image fake the files that labels and limits are written to (CVE-2019-16884,
/// CVE-2015-3631).</remarks>
internal static class ProcfsRule
{
    private static readonly HashSet<string> Harmless = new(StringComparer.Ordinal)
    {
        "/proc/cpuinfo", "/proc/diskstats", "/proc/meminfo", "/proc/stat", "/proc/swaps", "/proc/uptime", "/proc/loadavg",
        "/proc/slabinfo", "/proc/net/dev", "/proc/sys/kernel/ns_last_pid", "/proc/sys/crypto/fips_enabled",
    };

    public static bool Allows(string destination) => Harmless.Contains(destination);

    /// <exception cref="ContainerException">The mount would cover a part of /proc.</exception>
    public static void Check(string destination, string? type, bool bind)
    {
        if (destination == "/")
        {
            throw new ContainerException(ContainerFault.Engine, "invalid mount: destination can't be '/'");
        }

        bool below = destination.StartsWith("/proc/", StringComparison.Ordinal);
        if ((destination == "/proc" && (bind || type != "proc")) || (below && !Allows(destination)))
        {
            throw new ContainerException(ContainerFault.Engine,
                $"cannot mount over {destination}: /proc shows the container's own kernel state and cannot be replaced");
        }
    }
}
