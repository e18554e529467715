using System.Text.RegularExpressions;

namespace Hull.Cli.Tests;

/// <summary>Each known attack on image stores and registry clients has a test that names it, or a reason why hull has nothing to attack. Read from
/// the tests' sources.</summary>
public sealed partial class CorpusTests
{
    /// <summary>Attacks by images: layers, archives, configurations.</summary>
    private static readonly string[] Images =
    [
        "CVE-2014-6407", "CVE-2014-6408", "CVE-2014-9356", "CVE-2014-9357", "CVE-2014-9358", "CVE-2017-11468", "CVE-2017-14992", "CVE-2020-10696",
        "CVE-2021-20291", "CVE-2021-21285", "CVE-2021-29136", "CVE-2021-32760", "CVE-2022-23648", "CVE-2023-25153", "CVE-2024-36620",
        "CVE-2024-36621", "CVE-2024-36623", "CVE-2025-47290", "CVE-2026-53488",
    ];

    /// <summary>Attacks by registries, and by what stands between.</summary>
    private static readonly string[] Registries =
    [
        "CVE-2014-5277", "CVE-2019-10214", "CVE-2020-15157", "CVE-2021-41092", "CVE-2021-41190", "CVE-2024-3727", "CVE-2026-33540",
        "GHSA-5j5w-g665-5m35", "GHSA-xmmx-7jpf-fx42", "GHSA-qq97-vm5h-rrhg",
    ];

    /// <summary>Attacks on what hull does not have. Whoever adds it moves the number up.</summary>
    private static readonly Dictionary<string, string> NotThere = new()
    {
        ["CVE-2022-4122"] = "the builder's ignore file: hull builds nothing yet",
        ["CVE-2022-24778"] = "encrypted layers: hull decrypts none",
        ["CVE-2023-2253"] = "a registry's catalog: hull is no registry",
        ["CVE-2025-24976"] = "a registry's check of tokens: hull is no registry",
        ["CVE-2026-35172"] = "a registry's deleted blobs: hull is no registry",
        ["CVE-2026-41888"] = "a registry's deleted tags: hull is no registry",
    };

    [Fact]
    public void Attacks_OfImagesAndRegistries_HaveATestThatNamesThem()
    {
        HashSet<string> named = [.. NamedByTests()];

        string[] untested = [.. Images.Concat(Registries).Except(named)];
        string[] testedByNow = [.. NotThere.Keys.Intersect(named)];

        Assert.Empty(untested);
        Assert.Empty(testedByNow);
    }

    private static IEnumerable<string> NamedByTests() =>
        from path in Directory.EnumerateFiles(Path.Combine(FloorTests.Root(), "native-tests"), "*.cs", SearchOption.AllDirectories)
        from Match method in TestMethod().Matches(File.ReadAllText(path))
        from Match attack in Attack().Matches(method.Value)
        select attack.Value.Replace('_', '-');

    [GeneratedRegex(@"public (async Task|void) \w+\(")]
    private static partial Regex TestMethod();

    [GeneratedRegex("CVE_[0-9]{4}_[0-9]{4,}|GHSA_[0-9a-z]{4}_[0-9a-z]{4}_[0-9a-z]{4}")]
    private static partial Regex Attack();
}
