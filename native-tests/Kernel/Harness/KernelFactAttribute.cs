using System.Runtime.CompilerServices;
using Xunit.v3;

namespace Hull.Kernel.Tests.Harness;

/// <summary>A test that drives the published <c>hull</c> on a real kernel. Skips, with the reason, on a machine that
/// lacks a need; fails there instead when scripts/test promised the need.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class KernelFactAttribute : FactAttribute, ITraitAttribute
{
    private readonly Needs _needs;

    public KernelFactAttribute(Needs needs, [CallerFilePath] string? file = null, [CallerLineNumber] int line = -1)
        : base(file, line)
    {
        _needs = needs;
        Skip = Requirement.SkipReason(needs);
    }

    public IReadOnlyCollection<KeyValuePair<string, string>> GetTraits() => Requirement.Traits(_needs);
}

/// <summary>As <see cref="KernelFactAttribute"/>, for a test with data.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class KernelTheoryAttribute : TheoryAttribute, ITraitAttribute
{
    private readonly Needs _needs;

    public KernelTheoryAttribute(Needs needs, [CallerFilePath] string? file = null, [CallerLineNumber] int line = -1)
        : base(file, line)
    {
        _needs = needs;
        Skip = Requirement.SkipReason(needs);
    }

    public IReadOnlyCollection<KeyValuePair<string, string>> GetTraits() => Requirement.Traits(_needs);
}

internal static class Requirement
{
    /// <summary>Null where the test can run. A promised need is not looked at: there the test runs and shows what is missing.</summary>
    public static string? SkipReason(Needs needs) => Machine.WhyNot((needs | Needs.Root) & ~Machine.Promised);

    /// <summary>One trait a need: the runner on a hybrid host leaves out <c>needs=CgroupV2</c>, which scripts/vm runs.</summary>
    public static IReadOnlyCollection<KeyValuePair<string, string>> Traits(Needs needs) =>
    [
        .. Enum.GetValues<Needs>()
            .Where(need => need != Needs.None && needs.HasFlag(need))
            .Select(need => KeyValuePair.Create("needs", need.ToString())),
    ];
}
