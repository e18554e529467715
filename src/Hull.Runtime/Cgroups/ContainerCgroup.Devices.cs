using Hull.Linux;
using Hull.Linux.Cgroups;
using Hull.Oci.RuntimeSpec;
using Microsoft.Win32.SafeHandles;

namespace Hull.Runtime.Cgroups;

/// <summary>Device rules: files on v1, an eBPF program on v2.</summary>
public sealed partial class ContainerCgroup
{
    /// <summary>What this object attached: at the next start of the same container it makes room for its successor, of which
    /// a cgroup holds 64 at most.</summary>
    private SafeFileHandle? _deviceProgram;

    private void ApplyDevices(LinuxResources? resources)
    {
        DeviceRules rules = DeviceRules.From(resources?.Devices);
        if (rules.AllowsAll)
        {
            // A new cgroup denies nothing that its parent does not.
            return;
        }

        if (In("devices") is { } legacy)
        {
            WriteRules(legacy, rules);
        }
        else if (Unified is { } unified)
        {
            AttachProgram(unified, rules);
        }
        else
        {
            throw new CgroupException(
                "cannot enforce device rules: this host has neither the devices controller of cgroup v1 nor cgroup v2 (--privileged runs without rules)");
        }
    }

    private static void WriteRules(CgroupDirectory directory, DeviceRules rules)
    {
        using SafeFileHandle allow = Files.OpenAt(directory.Handle, "devices.allow", OpenFlags.WriteOnly);
        using SafeFileHandle deny = Files.OpenAt(directory.Handle, "devices.deny", OpenFlags.WriteOnly);
        foreach ((bool allowed, string line) in LegacyDeviceRules.Build(rules))
        {
            Errno errno = CgroupDirectory.TryWrite(allowed ? allow : deny, line);
            if (errno != Errno.None)
            {
                string file = $"{directory.FullPath}/{(allowed ? "devices.allow" : "devices.deny")}";
                string? hint = errno == Errno.EPERM ? "a cgroup cannot have a device that its parent is denied" : null;
                throw new CgroupException(
                    $"cannot set device rule {line}: {new SyscallException("write", file, errno, $"value={line}", hint).Message}");
            }
        }
    }

    private void AttachProgram(CgroupDirectory directory, DeviceRules rules)
    {
        try
        {
            SafeFileHandle program = Bpf.LoadDeviceProgram(DeviceProgram.Build(rules));
            using SafeFileHandle? before = _deviceProgram;
            _deviceProgram = program;
            // The new one first: at no time is there none.
            Bpf.AttachDeviceProgram(directory.Handle, program, directory.FullPath);
            if (before is not null)
            {
                Bpf.DetachDeviceProgram(directory.Handle, before, directory.FullPath);
            }
        }
        catch (SyscallException e)
        {
            string hint = e.Errno switch
            {
                Errno.ENOSYS or Errno.EINVAL => "does this kernel have CONFIG_BPF_SYSCALL and CONFIG_CGROUP_BPF? ",
                Errno.EPERM => "root with CAP_BPF and CAP_NET_ADMIN may, and no cgroup above may hold an exclusive device program; ",
                _ => "",
            };
            throw new CgroupException($"cannot enforce device rules on cgroup v2: {e.Message} ({hint}--privileged runs without rules)", e);
        }
    }
}
