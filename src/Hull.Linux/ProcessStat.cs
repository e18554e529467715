using System.Buffers.Text;
using System.Globalization;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace Hull.Linux;

/// <summary>/proc/PID/stat as it was at one moment (proc_pid_stat(5)).</summary>
/// <remarks>Fields have the numbers of the manual page. Thread-safe.</remarks>
public sealed class ProcessStat
{
    private const int Fields = 52;

    /// <summary>52 numbers of at most 20 digits, and a name of at most 64 bytes.</summary>
    private const int Longest = 2048;

    private readonly ulong[] _numbers;

    private ProcessStat(string name, char state, ulong[] numbers)
    {
        Name = name;
        State = state;
        _numbers = numbers;
    }

    /// <summary>Field 2, comm: whatever the program calls itself.</summary>
    public string Name { get; }

    /// <summary>Field 3: <c>R</c> running, <c>Z</c> a zombie and so on.</summary>
    public char State { get; }

    /// <summary>It has ended and waits for its parent at most.</summary>
    public bool IsDead => State is 'Z' or 'X';

    public int ParentId => (int)this[4];

    /// <summary>A device number, 0 without a terminal.</summary>
    public long Terminal => (long)this[7];

    /// <summary>User and system time, clock ticks.</summary>
    public long ProcessorTicks => (long)(this[14] + this[15]);

    /// <summary>Clock ticks since boot: with the process id it names just this process.</summary>
    public ulong StartTicks => this[22];

    public long VirtualBytes => (long)this[23];

    public long ResidentPages => (long)this[24];

    /// <summary>Any number of the manual page, from 4 on; 0 where this kernel has no such field. One below zero wraps round.</summary>
    public ulong this[int field] => _numbers[field];

    /// <summary>Null where there is no such process, or not for us to see.</summary>
    public static ProcessStat? TryRead(int pid) => TryRead(string.Create(CultureInfo.InvariantCulture, $"/proc/{pid}/stat"));

    /// <summary>This process's.</summary>
    public static ProcessStat ReadOwn() => TryRead("/proc/self/stat") ?? throw new SyscallException("open", "/proc/self/stat", Errno.ENOENT, null, "is /proc mounted?");

    /// <summary>Reads the file's text.</summary>
    public static ProcessStat Parse(ReadOnlySpan<byte> text)
    {
        // "PID (NAME) STATE PPID …": the name may hold spaces and parentheses, so from its last one on.
        int open = text.IndexOf((byte)'(');
        int close = text.LastIndexOf((byte)')');
        string name = Encoding.UTF8.GetString(text[(open + 1)..close]);
        char state = (char)text[close + 2];
        ReadOnlySpan<byte> rest = text[(close + 4)..];
        ulong[] numbers = new ulong[Fields + 1];
        for (int field = 4; field <= Fields && rest.Length > 0; field++)
        {
            bool negative = rest[0] == '-';
            _ = Utf8Parser.TryParse(negative ? rest[1..] : rest, out ulong number, out int length);
            numbers[field] = negative ? 0 - number : number;
            rest = rest[Math.Min(rest.Length, length + (negative ? 2 : 1))..];
        }

        return new ProcessStat(name, state, numbers);
    }

    private static ProcessStat? TryRead(string path)
    {
        using SafeFileHandle? file = Files.TryOpenAt(null, path, OpenFlags.ReadOnly, 0, out _);
        if (file is null)
        {
            return null;
        }

        Span<byte> buffer = stackalloc byte[Longest];
        int length = Descriptors.TryRead(file, buffer, out Errno errno);
        return length > 0 ? Parse(buffer[..length])
            // It ended between the two calls.
            : errno == Errno.ESRCH ? null
            : throw new SyscallException("read", path, errno);
    }
}
