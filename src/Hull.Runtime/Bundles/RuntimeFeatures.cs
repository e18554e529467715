using Hull.Linux;
using Hull.Runtime.Hooks;
using Hull.Runtime.Init;

namespace Hull.Runtime.Bundles;

/// <summary>What this runtime can do, from the tables that it works by (runtime-spec features.md).</summary>
public static class RuntimeFeatures
{
    /// <summary>The kinds of hook that are run, in the order of a container's life.</summary>
    public static IReadOnlyList<string> Hooks => HookRules.Stages;

    public static IEnumerable<string> MountOptions => Init.MountOptions.Words.Order(StringComparer.Ordinal);

    public static IEnumerable<string> Namespaces => NamespacePlan.Kinds.Keys.Order(StringComparer.Ordinal);

    /// <summary>Those with a name here; the running kernel may have fewer.</summary>
    public static IEnumerable<string> Capabilities => CapabilitySet.AllNamed.Names();

    public static IEnumerable<string> SeccompActions => SeccompReader.Actions;

    public static IEnumerable<string> SeccompOperators => SeccompReader.Operators.Keys.Order(StringComparer.Ordinal);

    public static IEnumerable<string> SeccompArchitectures => SyscallAbis.Words.Order(StringComparer.Ordinal);

    public static IEnumerable<string> SeccompFlags => SeccompReader.FlagWords.Keys.Order(StringComparer.Ordinal);
}
