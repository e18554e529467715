using Hull.Oci;
using Hull.Oci.RuntimeSpec;

namespace Hull.Engine.Containers;

/// <summary>The namespace modes of a <see cref="HostConfig"/>: which words are valid, and what becomes of them in a spec.</summary>
internal static class NamespaceModes
{
    private const string ContainerPrefix = "container:";

    /// <summary>The id behind <c>container:ID</c>; null for any other mode.</summary>
    public static ContainerId? Joined(string? mode) =>
        mode is not null && mode.StartsWith(ContainerPrefix, StringComparison.Ordinal) && ContainerId.TryParse(mode[ContainerPrefix.Length..], out ContainerId id)
            ? id
            : null;

    /// <summary>The text after <c>container:</c>, before it is resolved; null for any other mode.</summary>
    public static string? JoinedReference(string? mode) =>
        mode is not null && mode.StartsWith(ContainerPrefix, StringComparison.Ordinal) && mode.Length > ContainerPrefix.Length
            ? mode[ContainerPrefix.Length..]
            : null;

    /// <summary>Whether the container is on networks of hull's: it is neither on none, nor shares another's namespace.</summary>
    public static bool HasEndpoints(string? networkMode) =>
        networkMode is not ("none" or "host") && networkMode?.StartsWith(ContainerPrefix, StringComparison.Ordinal) != true;

    public static string Join(ContainerId id) => ContainerPrefix + id.Hex;

    /// <exception cref="EngineException">Invalid, with Docker's words.</exception>
    public static void Validate(HostConfig host)
    {
        Check(host.PidMode is null or "" or "private" or "host" || JoinedReference(host.PidMode) is not null, $"--pid: invalid PID mode: {Show(host.PidMode)}");
        Check(host.IpcMode is null or "" or "none" or "private" or "shareable" or "host" || JoinedReference(host.IpcMode) is not null,
            $"--ipc: invalid IPC mode: {Show(host.IpcMode)}");
        Check(host.UtsMode is null or "" or "private" or "host", $"--uts: invalid UTS mode: {Show(host.UtsMode)}");
        Check(host.CgroupnsMode is null or "" or "private" or "host", $"--cgroupns: invalid CGROUP mode: {Show(host.CgroupnsMode)}");
        Check(host.NetworkMode is not "container:", "Container id/name needed: --network container:NAME");
        IReadOnlyList<IdMapping>? mapping = UserNamespaceMapping.Parse(host.UsernsMode);
        if (mapping is not null)
        {
            Check(!host.Privileged, "privileged mode is incompatible with user namespaces. You must run the container in the host namespace when running privileged mode");
            Check(!host.IsHostNetwork, "cannot share the host's network namespace when user namespaces are enabled");
            Check(host.PidMode != "host", "cannot share the host PID namespace when user namespaces are enabled");
        }
    }

    /// <summary>The namespaces of the spec, the mount namespace first as runtimes print them.</summary>
    public static List<Namespace> ToSpec(HostConfig host, SpecHost from)
    {
        List<Namespace> namespaces = [new Namespace { Type = "mount" }];
        Add(namespaces, "network", "net", host.NetworkMode, from);
        Add(namespaces, "uts", "uts", host.UtsMode, from);
        Add(namespaces, "pid", "pid", host.PidMode, from);
        Add(namespaces, "ipc", "ipc", host.IpcMode, from);
        Add(namespaces, "cgroup", "cgroup", host.CgroupnsMode, from);
        if (!UserNamespaceMapping.IsHost(host.UsernsMode))
        {
            namespaces.Add(new Namespace { Type = "user" });
        }

        return namespaces;
    }

    private static void Add(List<Namespace> namespaces, string type, string file, string? mode, SpecHost from)
    {
        if (Joined(mode) is { } id)
        {
            namespaces.Add(new Namespace { Type = type, Path = string.Create(System.Globalization.CultureInfo.InvariantCulture, $"/proc/{from.InitOf(id)}/ns/{file}") });
        }
        else if (mode != "host")
        {
            namespaces.Add(new Namespace { Type = type });
        }
    }

    private static string Show(string? mode) => FlagText.Printable(mode ?? "");

    private static void Check(bool valid, string words)
    {
        if (!valid)
        {
            throw EngineException.Invalid(words);
        }
    }
}
