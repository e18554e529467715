namespace Hull.Runtime.Cgroups;

/// <summary>Device rules as lines for devices.allow and devices.deny of cgroup v1.</summary>
/// <remarks>The v1 controller keeps one verdict for everything and a list of exceptions from it; a line that takes back an
/// exception has effect only if it names the very same devices, and is otherwise silently without effect
/// (Documentation/admin-guide/cgroup-v1/devices.rst). Rules that it cannot hold are refused here.</remarks>
public static class LegacyDeviceRules
{
    /// <summary>The lines in order.</summary>
    /// <exception cref="CgroupException">A rule takes a part out of an earlier, wider one.</exception>
    public static IReadOnlyList<(bool Allow, string Line)> Build(DeviceRules rules)
    {
        List<(bool Allow, string Line)> lines = [];
        List<DeviceRules.Entry> exceptions = [];
        bool allowsRest = false;
        foreach (DeviceRules.Entry entry in rules.Entries)
        {
            if (entry.IsEverything)
            {
                lines.Clear();
                exceptions.Clear();
                allowsRest = entry.Allow;
                lines.Add((entry.Allow, entry.ToString()));
                continue;
            }

            foreach (DeviceRules.Entry one in entry.Kind == DeviceKind.Any
                ? [entry with { Kind = DeviceKind.Character }, entry with { Kind = DeviceKind.Block }]
                : (ReadOnlySpan<DeviceRules.Entry>)[entry])
            {
                if (one.Allow != allowsRest)
                {
                    exceptions.Add(one);
                    lines.Add((one.Allow, one.ToString()));
                    continue;
                }

                if (TakeBack(exceptions, one))
                {
                    lines.Add((one.Allow, one.ToString()));
                }
            }
        }

        return lines;
    }

    /// <summary>Takes <paramref name="rule"/> out of the exceptions; false where there is nothing to take out.</summary>
    private static bool TakeBack(List<DeviceRules.Entry> exceptions, DeviceRules.Entry rule)
    {
        bool found = false;
        for (int i = exceptions.Count - 1; i >= 0; i--)
        {
            DeviceRules.Entry exception = exceptions[i];
            if (!exception.Overlaps(rule) || (exception.Access & rule.Access) == DeviceAccess.None)
            {
                continue;
            }

            if (!exception.SameDevices(rule))
            {
                throw new CgroupException(
                    $"device rule {(rule.Allow ? "allow" : "deny")} {rule}: takes a part out of {(exception.Allow ? "allow" : "deny")} {exception}, "
                    + "which cgroup v1 cannot hold (name the devices one by one, or use a host with cgroup v2)");
            }

            found = true;
            exceptions[i] = exception with { Access = exception.Access & ~rule.Access };
        }

        exceptions.RemoveAll(exception => exception.Access == DeviceAccess.None);
        return found;
    }
}
