namespace Hull.Kernel.Tests.Harness;

/// <summary>Where the binary under test, the probe and the fixtures are.</summary>
/// <remarks>scripts/test says it by HULL_TEST_OUT (in the guest machine the same directory is a share); otherwise it is
/// <c>out/</c> of the tree that this assembly was built in.</remarks>
public static class Repository
{
    /// <summary>The <c>out/</c> directory.</summary>
    public static string Out { get; } = Environment.GetEnvironmentVariable("HULL_TEST_OUT") ?? Path.Combine(FindRoot(), "out");

    /// <summary>The published <c>hull</c>.</summary>
    public static string Hull { get; } = Existing(Path.Combine(Out, "hull"), "scripts/build");

    /// <summary>The published, statically linked probe (native-tests/Probe).</summary>
    public static string Probe => Existing(Path.Combine(Out, "probe"), "scripts/test");

    /// <summary>The archive of a fixture image, made by <c>rootfs-fixtures/NAME</c>.</summary>
    public static string Fixture(string name) => Existing(Path.Combine(Out, "fixtures", name + ".tar"), $"rootfs-fixtures/{name}");

    /// <summary>The directory tree of the busybox fixture, for bundles.</summary>
    public static string BusyboxRootfs => Existing(Path.Combine(Out, "fixtures", "busybox.rootfs"), "rootfs-fixtures/busybox");

    private static string Existing(string path, string maker) =>
        Path.Exists(path) ? path : throw new InvalidOperationException($"{path} is missing: run {maker}");

    private static string FindRoot()
    {
        for (string? directory = AppContext.BaseDirectory; directory is not null; directory = Path.GetDirectoryName(directory))
        {
            if (File.Exists(Path.Combine(directory, "Runtime.sln")))
            {
                return directory;
            }
        }

        throw new InvalidOperationException($"no Runtime.sln above {AppContext.BaseDirectory}: set HULL_TEST_OUT");
    }
}
