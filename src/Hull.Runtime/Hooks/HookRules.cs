using Hull.Oci.RuntimeSpec;

namespace Hull.Runtime.Hooks;

/// <summary>What runtime-spec config.md, "POSIX-platform Hooks", demands of every hook; checked before anything is made.</summary>
internal static class HookRules
{
    /// <summary>The kinds of hook in the order of a container's life, with where a document has them.</summary>
    private static readonly (string Stage, Func<Oci.RuntimeSpec.Hooks, IReadOnlyList<Hook>?> List)[] Kinds =
    [
        ("prestart", static hooks => hooks.Prestart),
        ("createRuntime", static hooks => hooks.CreateRuntime),
        ("createContainer", static hooks => hooks.CreateContainer),
        ("startContainer", static hooks => hooks.StartContainer),
        ("poststart", static hooks => hooks.Poststart),
        ("poststop", static hooks => hooks.Poststop),
    ];

    /// <exception cref="ContainerException">The first hook that is not as the specification wants it.</exception>
    public static void Check(Oci.RuntimeSpec.Hooks? hooks)
    {
        foreach (HookPlace place in hooks is null ? [] : All(hooks))
        {
            string name = $"hooks.{place.Stage}[{place.Number}]";
            Hook hook = place.Hook;
            if (!hook.Path.StartsWith('/'))
            {
                throw new ContainerException(ContainerFault.Engine, $"{name}.path: '{hook.Path}' must be an absolute path");
            }

            if (hook.Timeout is <= 0)
            {
                throw new ContainerException(ContainerFault.Engine, $"{name}.timeout: {hook.Timeout} must be greater than zero; leave it out for no limit");
            }

            foreach (string text in (IEnumerable<string>)[hook.Path, .. hook.Args ?? [], .. hook.Env ?? []])
            {
                if (text.Contains('\0', StringComparison.Ordinal))
                {
                    throw new ContainerException(ContainerFault.Engine, $"{name}: '{text.Replace('\0', '?')}' contains a NUL character");
                }
            }
        }
    }

    /// <summary>The hooks of one list with their places.</summary>
    public static IEnumerable<HookPlace> Of(string stage, IReadOnlyList<Hook>? hooks) =>
        (hooks ?? []).Select((hook, number) => new HookPlace(stage, number, hook));

    public static IReadOnlyList<string> Stages => [.. Kinds.Select(kind => kind.Stage)];

    private static IEnumerable<HookPlace> All(Oci.RuntimeSpec.Hooks hooks) => Kinds.SelectMany(kind => Of(kind.Stage, kind.List(hooks)));
}
