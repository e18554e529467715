using System.Net;
using Hull.Engine.Logs;
using Hull.Linux;
using Hull.Networking;
using Hull.Networking.Ports;
using Hull.Oci;

namespace Hull.Engine.Containers;

/// <summary>Checks a request before anything is made: each flag alone, then those that exclude each other. Words are Docker's
/// where Docker has some.</summary>
internal static class RequestValidator
{
    /// <summary>PATH_MAX, the end of the string included.</summary>
    private const int LongestPath = 4096;

    private static readonly string[] HarmlessInProc =
    [
        "/proc/cpuinfo", "/proc/diskstats", "/proc/meminfo", "/proc/stat", "/proc/swaps", "/proc/uptime", "/proc/loadavg", "/proc/slabinfo",
        "/proc/net/dev", "/proc/sys/kernel/ns_last_pid", "/proc/sys/crypto/fips_enabled",
    ];

    /// <exception cref="EngineException">Invalid.</exception>
    public static void Validate(CreateRequest request)
    {
        HostConfig host = request.Host;
        PayloadConfig payload = request.Payload;
        NamespaceModes.Validate(host);
        CheckConflicts(request);
        CheckPayload(payload);
        if (host.Resources is { } resources)
        {
            ResourceLimits.Validate(resources);
        }

        Check(host.OomScoreAdj is null or (>= -1000 and <= 1000), $"Invalid value {host.OomScoreAdj}, range for oom score adj is [-1000, 1000]");
        Check(host.ShmSize is null or >= 0, "SHM size can not be less than 0");
        Sysctls.Validate(
            host.Sysctls ?? new Dictionary<string, string>(),
            hostNetwork: host.IsHostNetwork, hostIpc: host.IpcMode == "host", hostUts: host.UtsMode == "host");
        SpecBuilder.ReadSeccomp(SecurityOptions.Parse(host.SecurityOpt));
        foreach (string rule in host.DeviceCgroupRules ?? [])
        {
            DeviceRules.Parse(rule);
        }

        if (host.CapAdd is { Count: > 0 } || host.CapDrop is { Count: > 0 })
        {
            SpecBuilder.CapabilitiesOf(host, CapabilitySet.HostBounding());
        }

        LogOptions.Parse(host.LogConfig);
        CheckMounts(host);
        CheckNames(host);
        CheckPorts(host);
    }

    /// <summary>A VOLUME of an image, which nobody has looked at before.</summary>
    public static void CheckImageVolume(string path, string target)
    {
        if (path.Length == 0 || System.Text.Encoding.UTF8.GetByteCount(path) >= LongestPath || FlagText.HasControl(path) || target == "/" || IsOverKernelFiles(target, host: null))
        {
            throw EngineException.Invalid($"the image declares a volume at '{FlagText.Printable(path)}', where none can be");
        }
    }

    private static void CheckConflicts(CreateRequest request)
    {
        HostConfig host = request.Host;
        Check(!(host.AutoRemove && host.RestartPolicy is { Condition: not RestartCondition.No }), "conflicting options: cannot specify both --restart and --rm");
        bool joined = NamespaceModes.JoinedReference(host.NetworkMode) is not null;
        Check(!(joined && request.Payload.Hostname is { Length: > 0 }), "conflicting options: hostname and the network mode");
        Check(!(host.UtsMode == "host" && request.Payload.Hostname is { Length: > 0 }), "conflicting options: hostname and the UTS mode");
        Check(!(host.UtsMode == "host" && request.Payload.Domainname is { Length: > 0 }), "conflicting options: domainname and the UTS mode");
        Check(!(joined && host.Dns is { Count: > 0 }), "conflicting options: dns and the network mode");
        Check(!(joined && host.ExtraHosts is { Count: > 0 }), "conflicting options: custom host-to-IP mapping and the network mode");
        Check(!(joined && request.Payload.ExposedPorts is { Count: > 0 }), "conflicting options: port exposing and the container type network mode");
        Check(!(joined && (host.Publish is { Count: > 0 } || host.PublishAll)), "conflicting options: port publishing and the container type network mode");
        Check(!((joined || host.IsHostNetwork) && host.Endpoints?.Any(static endpoint => endpoint.Links is not null) == true),
            $"conflicting options: {(joined ? "container type network" : "host type networking")} can't be used with links. This would result in undefined behavior");
        Check(!(joined && host.Endpoints is { Count: > 0 }), "conflicting options: container type network can't be used with other networks or with addresses of its own");
        Check(!(host.NetworkMode is "none" or "host" && host.Endpoints is { Count: > 0 }), $"conflicting options: network {host.NetworkMode} cannot be combined with other networks or with addresses of its own");
        Check(!(host.Privileged && host.CapDrop is null && host.UsernsMode is { Length: > 0 } mode && !UserNamespaceMapping.IsHost(mode)),
            "privileged mode is incompatible with user namespaces");
        Check(!(host.Init && host.PidMode == "host"), "conflicting options: --init and --pid=host: the host's process 1 reaps there");
    }

    private static void CheckPayload(PayloadConfig payload)
    {
        Check(payload.WorkingDirectory is null or "" || payload.WorkingDirectory[0] == '/',
            $"the working directory '{FlagText.Printable(payload.WorkingDirectory ?? "")}' is invalid, it needs to be an absolute path");
        Check(payload.Hostname is null or "" || (payload.Hostname.Length <= 64 && ManagedFiles.IsHostName(payload.Hostname)),
            $"invalid hostname format: {FlagText.Printable(payload.Hostname ?? "")}");
        Check(payload.Domainname is null or "" || (payload.Domainname.Length <= 64 && ManagedFiles.IsHostName(payload.Domainname)),
            $"invalid domainname format: {FlagText.Printable(payload.Domainname ?? "")}");
        if (payload.StopSignal is { Length: > 0 } signal)
        {
            SignalText.Parse(signal);
        }

        foreach (string entry in payload.Env ?? [])
        {
            Check(entry.Length > 0 && entry[0] != '=', $"invalid environment variable: {FlagText.Printable(entry)}");
        }
    }

    private static void CheckMounts(HostConfig host)
    {
        IReadOnlyList<MountConfig> mounts = host.Mounts ?? [];
        for (int i = 0; i < mounts.Count; i++)
        {
            for (int j = 0; j < i; j++)
            {
                Check(mounts[i].Target != mounts[j].Target, $"Duplicate mount point: {FlagText.Printable(mounts[i].Target)}");
            }

            Check(System.Text.Encoding.UTF8.GetByteCount(mounts[i].Target) < LongestPath,
                $"invalid mount: a destination is longer than {LongestPath - 1} bytes, the longest path of the kernel");
            Check(!IsOverKernelFiles(mounts[i].Target, mounts[i]),
                $"invalid mount: '{FlagText.Printable(mounts[i].Target)}' shows the container's own kernel state and cannot be replaced");
            Check(!(host.ReadonlyRootfs && mounts[i].Kind == MountKind.Bind && mounts[i].Target == "/"), "invalid mount: destination can't be '/'");
        }
    }

    /// <summary>/proc and what is below it, and a volume or tmpfs over /sys, would let a container fake what labels and limits
    /// are written to (CVE-2019-16884, CVE-2015-3631). A bind of the host's own /sys is Docker's usage and stays.</summary>
    private static bool IsOverKernelFiles(string target, MountConfig? host)
    {
        if (ContainerPath.IsAtOrBelow(target, "/proc"))
        {
            return Array.IndexOf(HarmlessInProc, target) < 0;
        }

        return ContainerPath.IsAtOrBelow(target, "/sys")
            && !(host is { Kind: MountKind.Bind, Source: { } source } && ContainerPath.IsAtOrBelow(source, "/sys"));
    }

    /// <summary>Before anything is made: a port that cannot be is not found at the start.</summary>
    private static void CheckPorts(HostConfig host)
    {
        try
        {
            foreach (string publish in host.Publish ?? [])
            {
                PortRule.Parse(publish);
            }
        }
        catch (NetworkException e)
        {
            throw EngineException.Invalid(e.Message, e);
        }
    }

    private static void CheckNames(HostConfig host)
    {
        foreach (string entry in host.ExtraHosts ?? [])
        {
            ManagedFiles.SplitExtraHost(entry);
        }

        foreach (string address in host.Dns ?? [])
        {
            Check(IPAddress.TryParse(address, out _), $"invalid IP address: {FlagText.Printable(address)}");
        }

        foreach (string domain in host.DnsSearch ?? [])
        {
            Check(domain == "." || ManagedFiles.IsHostName(domain), $"invalid domain: {FlagText.Printable(domain)}");
        }

        foreach (string option in host.DnsOptions ?? [])
        {
            Check(option.Length > 0 && !FlagText.HasControl(option) && !option.Contains(' ', StringComparison.Ordinal), $"invalid dns option: {FlagText.Printable(option)}");
        }

        foreach (string key in host.Annotations?.Keys ?? [])
        {
            // A runtime under systemd would take these for properties of the unit, ExecStop among them (CVE-2024-3154).
            Check(!key.StartsWith("org.systemd.property.", StringComparison.Ordinal), $"annotation '{FlagText.Printable(key)}' is not allowed");
        }

        Check(host.CgroupParent is null or "" || IsCgroupName(host.CgroupParent), $"invalid --cgroup-parent: {FlagText.Printable(host.CgroupParent ?? "")}");
        foreach (string group in host.GroupAdd ?? [])
        {
            Check(group.Length > 0 && !FlagText.HasControl(group) && !group.Contains(':', StringComparison.Ordinal), $"invalid --group-add: {FlagText.Printable(group)}");
        }
    }

    private static bool IsCgroupName(string path)
    {
        foreach (string part in path.Trim('/').Split('/'))
        {
            if (part is "" or "." or ".." || part.Length > 255 || FlagText.HasControl(part))
            {
                return false;
            }
        }

        return true;
    }

    private static void Check(bool valid, string words)
    {
        if (!valid)
        {
            throw EngineException.Invalid(words);
        }
    }
}
