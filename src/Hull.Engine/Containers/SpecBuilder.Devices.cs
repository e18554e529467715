using Hull.Linux;
using Hull.Oci;
using Hull.Oci.RuntimeSpec;

namespace Hull.Engine.Containers;

/// <summary>Device nodes and the rules that let them be used. Numbers are looked up at each start: they may have changed.</summary>
public sealed partial class SpecBuilder
{
    private void AddDevices(List<LinuxDevice> devices, List<DeviceRule> rules)
    {
        if (_host.Privileged)
        {
            rules.AddRange(SpecDefaults.PrivilegedDeviceRules);
            AddBelow(devices, null, "/dev", "/dev", "rwm");
            return;
        }

        rules.AddRange(SpecDefaults.DeviceRules);
        foreach (DeviceConfig device in _host.Devices ?? [])
        {
            FileMetadata found = _from.Stat(device.HostPath)
                ?? throw EngineException.Invalid(
                    $"error gathering device information while adding custom device \"{FlagText.Printable(device.HostPath)}\": no such file or directory");
            if (found.IsDirectory)
            {
                int before = devices.Count;
                AddBelow(devices, rules, device.HostPath, device.ContainerPath, device.Permissions);
                if (devices.Count == before)
                {
                    throw EngineException.Invalid($"no device is in {FlagText.Printable(device.HostPath)}");
                }
            }
            else if (!TryAdd(devices, rules, found, device.ContainerPath, device.Permissions))
            {
                throw EngineException.Invalid(
                    $"error gathering device information while adding custom device \"{FlagText.Printable(device.HostPath)}\": not a device node");
            }
        }

        foreach (string rule in _host.DeviceCgroupRules ?? [])
        {
            rules.Add(DeviceRules.Parse(rule));
        }
    }

    /// <summary>Every device of a directory tree; what the container has of its own is left out.</summary>
    private void AddBelow(List<LinuxDevice> devices, List<DeviceRule>? rules, string hostPath, string containerPath, string permissions)
    {
        foreach (string name in _from.Entries(hostPath))
        {
            if (name is "pts" or "shm" or "fd" or "mqueue" or ".lxc" or ".lxd-mounts" or ".udev" || (hostPath == "/dev" && name == "console"))
            {
                continue;
            }

            string path = string.Concat(hostPath, "/", name);
            string target = string.Concat(containerPath, "/", name);
            if (_from.StatEntry(path) is not { } entry)
            {
                continue;
            }

            if (entry.IsDirectory)
            {
                AddBelow(devices, rules, path, target, permissions);
            }
            else
            {
                TryAdd(devices, rules, entry, target, permissions);
            }
        }
    }

    private static bool TryAdd(List<LinuxDevice> devices, List<DeviceRule>? rules, FileMetadata found, string containerPath, string permissions)
    {
        string? type = found.Type switch
        {
            FileType.CharacterDevice => "c",
            FileType.BlockDevice => "b",
            _ => null,
        };
        if (type is null)
        {
            return false;
        }

        devices.Add(new LinuxDevice
        {
            Path = containerPath,
            Type = type,
            Major = found.RawDeviceMajor,
            Minor = found.RawDeviceMinor,
            FileMode = found.Permissions,
            Uid = found.UserId,
            Gid = found.GroupId,
        });
        rules?.Add(new DeviceRule { Allow = true, Type = type, Major = found.RawDeviceMajor, Minor = found.RawDeviceMinor, Access = permissions });
        return true;
    }
}
