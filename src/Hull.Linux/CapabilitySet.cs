using System.Globalization;
using System.Numerics;
using System.Text;

namespace Hull.Linux;

/// <summary>A set of capabilities(7), one bit a capability as capset(2) and /proc/PID/status have it.</summary>
public readonly record struct CapabilitySet(ulong Bits)
{
    private const string Prefix = "CAP_";

    /// <summary>In the order of their numbers (linux/capability.h).</summary>
    private static readonly string[] KnownNames =
    [
        "CHOWN", "DAC_OVERRIDE", "DAC_READ_SEARCH", "FOWNER", "FSETID", "KILL", "SETGID", "SETUID",
        "SETPCAP", "LINUX_IMMUTABLE", "NET_BIND_SERVICE", "NET_BROADCAST", "NET_ADMIN", "NET_RAW", "IPC_LOCK", "IPC_OWNER",
        "SYS_MODULE", "SYS_RAWIO", "SYS_CHROOT", "SYS_PTRACE", "SYS_PACCT", "SYS_ADMIN", "SYS_BOOT", "SYS_NICE",
        "SYS_RESOURCE", "SYS_TIME", "SYS_TTY_CONFIG", "MKNOD", "LEASE", "AUDIT_WRITE", "AUDIT_CONTROL", "SETFCAP",
        "MAC_OVERRIDE", "MAC_ADMIN", "SYSLOG", "WAKE_ALARM", "BLOCK_SUSPEND", "AUDIT_READ", "PERFMON", "BPF",
        "CHECKPOINT_RESTORE",
    ];

    public static CapabilitySet Empty => default;

    /// <summary>Every capability that has a name here (CAP_CHECKPOINT_RESTORE, Linux 5.9, is the youngest).</summary>
    public static CapabilitySet AllNamed => new((1UL << KnownNames.Length) - 1);

    public bool Contains(int number) => (Bits >> number & 1) != 0;

    public int Count => BitOperations.PopCount(Bits);

    public static CapabilitySet operator |(CapabilitySet left, CapabilitySet right) => new(left.Bits | right.Bits);

    public static CapabilitySet operator &(CapabilitySet left, CapabilitySet right) => new(left.Bits & right.Bits);

    /// <summary>What is in <paramref name="left"/> and not in <paramref name="right"/>.</summary>
    public static CapabilitySet operator -(CapabilitySet left, CapabilitySet right) => new(left.Bits & ~right.Bits);

    public static CapabilitySet BitwiseOr(CapabilitySet left, CapabilitySet right) => left | right;

    public static CapabilitySet BitwiseAnd(CapabilitySet left, CapabilitySet right) => left & right;

    public static CapabilitySet Subtract(CapabilitySet left, CapabilitySet right) => left - right;

    /// <summary>The capability of a name, with or without <c>CAP_</c>, in any case.</summary>
    public static bool TryNumber(ReadOnlySpan<char> name, out int number)
    {
        if (name.StartsWith(Prefix, StringComparison.OrdinalIgnoreCase))
        {
            name = name[Prefix.Length..];
        }

        for (number = 0; number < KnownNames.Length; number++)
        {
            if (name.Equals(KnownNames[number], StringComparison.OrdinalIgnoreCase))
            {
                return true;
            }
        }

        number = -1;
        return false;
    }

    /// <summary><c>CAP_CHOWN</c> and so on; <c>CAP_41</c> for a number without a name here.</summary>
    public static string Name(int number) =>
        number < KnownNames.Length ? Prefix + KnownNames[number] : string.Create(CultureInfo.InvariantCulture, $"{Prefix}{number}");

    /// <summary>The set of the names given.</summary>
    /// <exception cref="ArgumentException">A name that no capability has.</exception>
    public static CapabilitySet Of(IEnumerable<string> names)
    {
        ulong bits = 0;
        foreach (string name in names)
        {
            bits |= TryNumber(name, out int number)
                ? 1UL << number
                : throw new ArgumentException($"unknown capability \"{name}\"", nameof(names));
        }

        return new CapabilitySet(bits);
    }

    /// <summary>The names with <c>CAP_</c>, in the order of the numbers.</summary>
    public IReadOnlyList<string> Names()
    {
        List<string> names = new(Count);
        for (ulong rest = Bits; rest != 0; rest &= rest - 1)
        {
            names.Add(Name(BitOperations.TrailingZeroCount(rest)));
        }

        return names;
    }

    /// <summary>The bounding set of the calling thread: what no exec on this host can exceed. A <c>--privileged</c>
    /// container gets just these, for a bit beyond them would make capset(2) fail.</summary>
    public static CapabilitySet HostBounding() => FromStatus("CapBnd:");

    /// <summary>The effective set of the calling thread.</summary>
    public static CapabilitySet HostEffective() => FromStatus("CapEff:");

    /// <summary>The number of the youngest capability that the running kernel knows.</summary>
    public static int LastOfKernel()
    {
        const string File = "/proc/sys/kernel/cap_last_cap";
        using Microsoft.Win32.SafeHandles.SafeFileHandle handle = Files.Open(File, OpenFlags.ReadOnly);
        return int.Parse(Encoding.ASCII.GetString(Files.ReadAll(handle, 64, File)), CultureInfo.InvariantCulture);
    }

    /// <summary>16 hexadecimal digits, as /proc/PID/status shows them.</summary>
    public override string ToString() => Bits.ToString("x16", CultureInfo.InvariantCulture);

    private static CapabilitySet FromStatus(string field)
    {
        const string File = "/proc/thread-self/status";
        using Microsoft.Win32.SafeHandles.SafeFileHandle handle = Files.Open(File, OpenFlags.ReadOnly);
        return FromStatus(Encoding.UTF8.GetString(Files.ReadAll(handle, 64 * 1024, File)), field);
    }

    /// <summary>One <c>Cap…:</c> line of a /proc/PID/status text.</summary>
    internal static CapabilitySet FromStatus(string status, string field)
    {
        int start = status.IndexOf("\n" + field, StringComparison.Ordinal);
        ReadOnlySpan<char> line = start < 0
            ? throw new InvalidDataException($"/proc/thread-self/status has no line {field}")
            : status.AsSpan(start + 1 + field.Length);
        int end = line.IndexOf('\n');
        return new CapabilitySet(ulong.Parse((end < 0 ? line : line[..end]).Trim(), NumberStyles.HexNumber, CultureInfo.InvariantCulture));
    }
}
