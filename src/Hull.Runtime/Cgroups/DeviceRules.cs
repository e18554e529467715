using Hull.Oci.RuntimeSpec;

namespace Hull.Runtime.Cgroups;

/// <summary>What is done to a device, with the numbers of the kernel's BPF_DEVCG_ACC_* (include/uapi/linux/bpf.h).</summary>
[Flags]
public enum DeviceAccess
{
    None = 0,
    MakeNode = 1,
    Read = 2,
    Write = 4,
    All = 7,
}

/// <summary>Block or character, with the numbers of BPF_DEVCG_DEV_*; <see cref="Any"/> is both.</summary>
public enum DeviceKind
{
    Any = 0,
    Block = 1,
    Character = 2,
}

/// <summary>Which devices a container may make, read and write.</summary>
/// <remarks>
/// <para>Rules are in order and later ones win, bit by bit of the access asked for. Before the first stands "deny everything":
/// a spec without rules gives no device (GHSA-g54h-m393-cpwq, where an empty list meant all of them). Unless a rule allows
/// everything, after the last stand the devices that every container has (config-linux.md, "Default Devices").</para>
/// <para>On v2 the rules become an eBPF program (<see cref="DeviceProgram"/>), on v1 lines for devices.allow and
/// devices.deny (<see cref="LegacyDeviceRules"/>).</para>
/// </remarks>
public sealed class DeviceRules
{
    /// <summary>What every container may use, as runc and Docker have it.</summary>
    private static readonly Entry[] EveryContainer =
    [
        // A node can be made of anything; opening it is what is ruled.
        new(true, DeviceKind.Character, null, null, DeviceAccess.MakeNode),
        new(true, DeviceKind.Block, null, null, DeviceAccess.MakeNode),
        new(true, DeviceKind.Character, 1, 3, DeviceAccess.All), // null
        new(true, DeviceKind.Character, 1, 5, DeviceAccess.All), // zero
        new(true, DeviceKind.Character, 1, 7, DeviceAccess.All), // full
        new(true, DeviceKind.Character, 1, 8, DeviceAccess.All), // random
        new(true, DeviceKind.Character, 1, 9, DeviceAccess.All), // urandom
        new(true, DeviceKind.Character, 5, 0, DeviceAccess.All), // tty
        new(true, DeviceKind.Character, 5, 1, DeviceAccess.All), // console
        new(true, DeviceKind.Character, 5, 2, DeviceAccess.All), // ptmx
        new(true, DeviceKind.Character, 136, null, DeviceAccess.All), // pts/N
    ];

    private readonly List<Entry> _entries;

    private DeviceRules(List<Entry> entries) => _entries = entries;

    /// <summary>The rules of a spec, with what stands before and after them.</summary>
    /// <exception cref="CgroupException">A rule's type, number or access is not one.</exception>
    public static DeviceRules From(IReadOnlyList<DeviceRule>? rules)
    {
        List<Entry> entries = [];
        foreach (DeviceRule rule in rules ?? [])
        {
            Entry entry = Read(rule);
            if (entry.Access == DeviceAccess.None)
            {
                continue;
            }

            if (entry.IsEverything)
            {
                // Whatever stood before has no say any more.
                entries.Clear();
            }

            entries.Add(entry);
        }

        if (entries.Count == 0 || !entries[0].IsEverything)
        {
            entries.Insert(0, new Entry(false, DeviceKind.Any, null, null, DeviceAccess.All));
        }

        if (!entries[0].Allow)
        {
            entries.AddRange(EveryContainer.Where(entry => !entries.Contains(entry)));
        }

        return new DeviceRules(entries);
    }

    /// <summary>Nothing is denied, so nothing has to be enforced.</summary>
    public bool AllowsAll => _entries.TrueForAll(entry => entry.Allow);

    /// <summary>In order; the first is about everything.</summary>
    internal IReadOnlyList<Entry> Entries => _entries;

    /// <summary>The verdict on one access, as the program on v2 gives it.</summary>
    public bool Allows(DeviceKind kind, uint major, uint minor, DeviceAccess access)
    {
        DeviceAccess open = access;
        for (int i = _entries.Count - 1; i >= 0 && open != DeviceAccess.None; i--)
        {
            Entry entry = _entries[i];
            if (!entry.Matches(kind, major, minor) || (open & entry.Access) == DeviceAccess.None)
            {
                continue;
            }

            if (!entry.Allow)
            {
                return false;
            }

            open &= ~entry.Access;
        }

        return open == DeviceAccess.None;
    }

    private static Entry Read(DeviceRule rule)
    {
        DeviceKind kind = rule.Type switch
        {
            null or "" or "a" => DeviceKind.Any,
            "b" => DeviceKind.Block,
            // u: an unbuffered character device, mknod(1).
            "c" or "u" => DeviceKind.Character,
            _ => throw new CgroupException($"device rule: type {rule.Type} is none of a, b, c"),
        };
        DeviceAccess access = string.IsNullOrEmpty(rule.Access) ? DeviceAccess.All : DeviceAccess.None;
        foreach (char letter in rule.Access ?? "")
        {
            access |= letter switch
            {
                'r' => DeviceAccess.Read,
                'w' => DeviceAccess.Write,
                'm' => DeviceAccess.MakeNode,
                _ => throw new CgroupException($"device rule: access {rule.Access} has other letters than r, w, m"),
            };
        }

        return new Entry(rule.Allow, kind, NumberOf(rule.Major), NumberOf(rule.Minor), access);
    }

    private static uint? NumberOf(long? number) => number switch
    {
        null or < 0 => null,
        <= int.MaxValue => (uint)number,
        _ => throw new CgroupException($"device rule: {number} is not a device number"),
    };

    /// <summary>One rule; null is any number.</summary>
    internal readonly record struct Entry(bool Allow, DeviceKind Kind, uint? Major, uint? Minor, DeviceAccess Access)
    {
        public bool IsEverything => Kind == DeviceKind.Any && Major is null && Minor is null && Access == DeviceAccess.All;

        public bool Matches(DeviceKind kind, uint major, uint minor) =>
            (Kind == DeviceKind.Any || Kind == kind) && (Major is null || Major == major) && (Minor is null || Minor == minor);

        /// <summary>Whether some device is meant by both.</summary>
        public bool Overlaps(Entry other) =>
            (Kind == DeviceKind.Any || other.Kind == DeviceKind.Any || Kind == other.Kind)
            && (Major is null || other.Major is null || Major == other.Major)
            && (Minor is null || other.Minor is null || Minor == other.Minor);

        /// <summary>Whether both mean the same devices.</summary>
        public bool SameDevices(Entry other) => Kind == other.Kind && Major == other.Major && Minor == other.Minor;

        /// <summary>A line of devices.list: <c>c 1:3 rwm</c>, <c>b *:* m</c>.</summary>
        public override string ToString() => IsEverything
            ? "a"
            : $"{Kind switch { DeviceKind.Block => 'b', DeviceKind.Character => 'c', _ => 'a' }} "
                + $"{Major?.ToString() ?? "*"}:{Minor?.ToString() ?? "*"} "
                + (Access.HasFlag(DeviceAccess.Read) ? "r" : "") + (Access.HasFlag(DeviceAccess.Write) ? "w" : "")
                + (Access.HasFlag(DeviceAccess.MakeNode) ? "m" : "");
    }
}
