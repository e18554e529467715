namespace Hull.Runtime.Init;

/// <summary>SELinux labels of a spec are refused, not dropped: whoever asks for one relies on it.</summary>
internal static class SelinuxRule
{
    /// <exception cref="ContainerException">A label is given.</exception>
    public static void Check(string? processLabel, string? mountLabel = null)
    {
        string? given = processLabel is { Length: > 0 } ? "process.selinuxLabel" : mountLabel is { Length: > 0 } ? "linux.mountLabel" : null;
        if (given is not null)
        {
            throw new ContainerException(ContainerFault.Engine,
                $"{given}: SELinux labels are not supported: turn them off in the engine that calls (podman: label=disable, containerd: enable_selinux = false)");
        }
    }
}
