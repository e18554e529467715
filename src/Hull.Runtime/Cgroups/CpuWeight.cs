namespace Hull.Runtime.Cgroups;

/// <summary>Docker's CPU shares and block weights (cgroup v1 scales) in the scales of cgroup v2.</summary>
public static class CpuWeight
{
    public const ulong LeastShares = 2;
    public const ulong MostShares = 262144;

    /// <summary>cpu.weight (1 to 10000, 100 where nothing is set) for cpu.shares (2 to 262144, 1024 where nothing is set).</summary>
    /// <remarks>The quadratic in log2 that runc 1.3.2 and crun 1.23 use: it takes both ends and both defaults to
    /// each other. The older straight line took 1024 to 39, so that a container with the default written out lost to one
    /// without.</remarks>
    public static ulong FromShares(ulong shares)
    {
        switch (shares)
        {
            case <= LeastShares:
                return 1;
            case >= MostShares:
                return 10000;
            default:
                double l = Math.Log2(shares);
                double exponent = ((l * l) + (125 * l)) / 612 - (7.0 / 34);
                // 1024 must give 100 exactly; a rounding error above it would give 101.
                return (ulong)Math.Ceiling(Math.Pow(10, exponent) - 1e-9);
        }
    }

    /// <summary>io.weight (1 to 10000) for blkio.weight (10 to 1000).</summary>
    public static ulong FromBlockIo(ushort weight) => 1 + ((weight - 10UL) * 9999 / 990);
}
