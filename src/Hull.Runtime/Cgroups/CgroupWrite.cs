using Hull.Linux;
using Hull.Linux.Cgroups;

namespace Hull.Runtime.Cgroups;

/// <summary>One value for one file of a container's cgroup: a line of the plan that a dry run prints and a test asserts.</summary>
/// <param name="Hierarchy">The tree the controller is bound to.</param>
/// <param name="Controller">As in cgroups(7).</param>
/// <param name="File">Name within the container's directory.</param>
/// <param name="Value">Written with one write(2).</param>
/// <param name="Limit">What the user asked for, in the words of an error: <c>memory limit (--memory)</c>.</param>
public sealed record CgroupWrite(CgroupHierarchy Hierarchy, string Controller, string File, string Value, string Limit)
{
    /// <summary>Taken instead where the kernel has no <see cref="File"/>.</summary>
    public CgroupWrite? Otherwise { get; init; }

    /// <summary>Asked where <see cref="File"/> is missing: the reason why the limit holds all the same, for the notes, or
    /// null where it does not.</summary>
    public Func<string?>? HoldsWithout { get; init; }

    /// <summary>What it means when the kernel refuses the value with that errno.</summary>
    public (Errno Errno, string Text)? Hint { get; init; }

    /// <summary>What to do where <see cref="File"/> is missing though the controller is there.</summary>
    public string? MissingHint { get; init; }

    public override string ToString() => $"{Controller} {File} {Value}";
}
