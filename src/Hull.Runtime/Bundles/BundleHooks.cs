using Hull.Runtime.Hooks;

namespace Hull.Runtime.Bundles;

/// <summary>The hooks of a bundle's life after its create (runtime-spec runtime.md, lifecycle 9 and 13), from what was saved of it.</summary>
internal static class BundleHooks
{
    /// <exception cref="ContainerException">A hook is not as the specification wants it; nothing has been made yet.</exception>
    public static void Check(ContainerState state) => HookRules.Check(state.Hooks);

    /// <summary>The payload runs, and start has not returned yet.</summary>
    public static void Poststart(ContainerState state, Action<string> warn) =>
        RuntimeHooks.RunAll("poststart", state.Hooks?.Poststart, state.Document("running", state.Pid), warn);

    /// <summary>The container is gone; after a create that failed too, as with runc.</summary>
    public static void Poststop(ContainerState state, Action<string> warn) =>
        RuntimeHooks.RunAll("poststop", state.Hooks?.Poststop, state.Document("stopped", pid: null), warn);
}
