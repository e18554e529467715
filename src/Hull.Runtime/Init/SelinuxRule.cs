using Hull.Linux;

namespace Hull.Runtime.Init;

/// <summary>SELinux labels of a spec are refused where the host has no SELinux, not dropped: whoever asks for one relies on it.</summary>
internal static class SelinuxRule
{
    /// <param name="isEnabled">Asked only where a label is given, which few starts do.</param>
    /// <exception cref="ContainerException">A label is given, and SELinux is off.</exception>
    public static void Check(string? processLabel, string? mountLabel, Func<bool> isEnabled)
    {
        string? given = processLabel is { Length: > 0 } ? "process.selinuxLabel" : mountLabel is { Length: > 0 } ? "linux.mountLabel" : null;
        if (given is not null && !isEnabled())
        {
            throw new ContainerException(ContainerFault.Engine,
                $"{given}: SELinux is off on this host, for {Selinux.FileSystem} is not mounted for writing: take the label out, or turn labels off in the engine that calls (podman: label=disable, containerd: enable_selinux = false)");
        }
    }
}
