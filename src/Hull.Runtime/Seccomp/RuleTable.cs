using Hull.Linux;
using Hull.Oci.RuntimeSpec;

namespace Hull.Runtime;

/// <summary>A profile laid out over the numbers of one ABI: consecutive ranges, each with one outcome.</summary>
internal sealed class RuleTable
{
    private RuleTable(List<NumberRange> ranges) => Ranges = ranges;

    /// <summary>In ascending order; the first begins at the ABI's lowest number, each ends where the next begins.</summary>
    public IReadOnlyList<NumberRange> Ranges { get; }

    /// <param name="rules">The rules of each entry of the profile, in the profile's order.</param>
    public static RuleTable Build(Seccomp profile, IReadOnlyList<IReadOnlyList<SyscallRule>> rules, uint defaultAnswer, SyscallAbi abi)
    {
        uint newest = 0;
        Dictionary<uint, List<SyscallRule>> byNumber = new(512);
        for (int i = 0; i < rules.Count; i++)
        {
            foreach (string name in profile.Syscalls![i].Names)
            {
                int index = SyscallTable.IndexOf(name);
                // A name that this ABI or this table does not know is passed over: one profile serves many kernels.
                int number = index < 0 ? -1 : SyscallTable.Number(index, abi);
                if (number >= 0)
                {
                    newest = Math.Max(newest, (uint)number);
                    Add(byNumber, (uint)number, rules[i], defaultAnswer);
                }

                if (abi == SyscallAbi.I386 && Multiplexer.TryFind(name, out Multiplexer multiplexer))
                {
                    Add(byNumber, multiplexer.Number, [multiplexer.Narrow(rules[i][0])], defaultAnswer);
                }
            }
        }

        return new RuleTable(Layout(byNumber, defaultAnswer, newest, abi == SyscallAbi.X32 ? SyscallAbis.X32Bit : 0));
    }

    /// <summary>Whether a number beyond every named one is to look as if the kernel were too old for it.</summary>
    /// <remarks>
    /// A profile cannot know system calls that came after it. Refusing those with EPERM breaks libraries that try the new
    /// call and fall back on ENOSYS (glibc with faccessat2 and clone3), so runc answers ENOSYS to every number above the
    /// highest one that the profile names for the ABI in any rule, unless the default lets calls through.
    /// </remarks>
    private static bool HidesNewer(uint defaultAnswer) =>
        (defaultAnswer & 0xffff0000) is not (SeccompReturn.Allow or SeccompReturn.Log or SeccompReturn.Trace);

    private static void Add(
        Dictionary<uint, List<SyscallRule>> byNumber, uint number, IReadOnlyList<SyscallRule> rules, uint defaultAnswer)
    {
        if (!byNumber.TryGetValue(number, out List<SyscallRule>? known))
        {
            byNumber.Add(number, known = []);
        }

        // The first rule without conditions decides the number alone, whatever stands before or after it: libseccomp
        // merges rules so. One that only repeats the default is as if it were not there.
        if (rules[0].Answer == defaultAnswer || (known.Count == 1 && known[0].IsUnconditional))
        {
            return;
        }

        if (rules[0].IsUnconditional)
        {
            known.Clear();
        }

        known.AddRange(rules);
    }

    private static List<NumberRange> Layout(Dictionary<uint, List<SyscallRule>> byNumber, uint defaultAnswer, uint newest, uint first)
    {
        uint[] numbers = [.. byNumber.Keys];
        Array.Sort(numbers);
        List<NumberRange> ranges = new(128);
        uint next = first;
        foreach (uint number in numbers)
        {
            if (number > next)
            {
                Append(ranges, new NumberRange(next, defaultAnswer, []));
            }

            List<SyscallRule> rules = byNumber[number];
            Append(ranges, rules.Count == 1 && rules[0].IsUnconditional
                ? new NumberRange(number, rules[0].Answer, [])
                : new NumberRange(number, defaultAnswer, rules));
            next = number + 1;
        }

        bool hide = newest > 0 && HidesNewer(defaultAnswer);
        Append(ranges, new NumberRange(next, hide ? SeccompReturn.Errno | (uint)Errno.ENOSYS : defaultAnswer, []));
        return ranges;
    }

    private static void Append(List<NumberRange> ranges, NumberRange range)
    {
        if (ranges.Count == 0 || !ranges[^1].HasSameOutcome(range))
        {
            ranges.Add(range);
        }
    }
}

/// <summary>From <paramref name="First"/> to the next range: the first rule that matches answers, else
/// <paramref name="Otherwise"/>.</summary>
internal sealed record NumberRange(uint First, uint Otherwise, IReadOnlyList<SyscallRule> Rules)
{
    public bool HasSameOutcome(NumberRange other) => Rules.Count == 0 && other.Rules.Count == 0 && Otherwise == other.Otherwise;
}

/// <summary>The i386 calls that reach many others by a number in their first argument, socketcall(2) and ipc(2).</summary>
/// <param name="Number">Of the multiplexer.</param>
/// <param name="Call">What its first argument must be.</param>
internal readonly record struct Multiplexer(uint Number, uint Call)
{
    private const uint SocketCall = 102;
    private const uint Ipc = 117;

    /// <summary>From 1 on; include/uapi/linux/net.h.</summary>
    private static readonly string[] SocketCalls =
    [
        "socket", "bind", "connect", "listen", "accept", "getsockname", "getpeername", "socketpair", "send", "recv",
        "sendto", "recvfrom", "shutdown", "setsockopt", "getsockopt", "sendmsg", "recvmsg", "accept4", "recvmmsg", "sendmmsg",
    ];

    /// <summary>In three groups, from 1, 11 and 21 on; include/uapi/linux/ipc.h.</summary>
    private static readonly string[] IpcCalls =
    [
        "semop", "semget", "semctl", "semtimedop", "msgsnd", "msgrcv", "msgget", "msgctl", "shmat", "shmdt", "shmget", "shmctl",
    ];

    public static bool TryFind(string name, out Multiplexer multiplexer)
    {
        int socket = Array.IndexOf(SocketCalls, name);
        int ipc = Array.IndexOf(IpcCalls, name);
        multiplexer = socket >= 0
            ? new Multiplexer(SocketCall, (uint)socket + 1)
            : new Multiplexer(Ipc, (uint)((ipc / 4 * 10) + (ipc % 4) + 1));
        return socket >= 0 || ipc >= 0;
    }

    /// <summary>The rule for the multiplexer: only which call it is can be seen; the call's own arguments lie in memory
    /// that a filter cannot read.</summary>
    public SyscallRule Narrow(SyscallRule rule) => new(rule.Answer, [new ArgumentCondition(0, Comparison.Equal, Call, ulong.MaxValue)]);
}
