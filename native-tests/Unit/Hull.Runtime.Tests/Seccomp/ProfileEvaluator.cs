using Hull.Oci.RuntimeSpec;

namespace Hull.Runtime.Tests;

/// <summary>The meaning of a profile, evaluated on the document itself: an oracle that shares nothing with the compiler but
/// the table of names.</summary>
internal sealed class ProfileEvaluator
{
    private static readonly string[] Sockets =
        "- socket bind connect listen accept getsockname getpeername socketpair send recv sendto recvfrom shutdown setsockopt getsockopt sendmsg recvmsg accept4 recvmmsg sendmmsg".Split(' ');

    private static readonly string[] Ipc =
        "- semop semget semctl semtimedop - - - - - - msgsnd msgrcv msgget msgctl - - - - - - shmat shmdt shmget shmctl".Split(' ');

    private readonly IReadOnlySet<SyscallAbi> _abis;
    private readonly uint _otherwise;
    private readonly bool _permissive;
    private readonly Dictionary<(SyscallAbi, uint), List<(uint Word, SeccompRule Rule, string Name)>> _rules = [];
    private readonly Dictionary<SyscallAbi, uint> _newest = [];

    public ProfileEvaluator(Seccomp profile, IReadOnlySet<SyscallAbi> abis)
    {
        _abis = abis;
        _otherwise = Word(profile.DefaultAction, profile.DefaultErrnoRet);
        _permissive = (_otherwise >> 16) is 0x7fff or 0x7ffc or 0x7ff0;
        foreach (SyscallAbi abi in abis)
        {
            _newest[abi] = 0;
            foreach ((SeccompRule rule, string name) in profile.Syscalls?.SelectMany(rule => rule.Names.Select(name => (rule, name))) ?? [])
            {
                int index = SyscallTable.IndexOf(name);
                int number = index < 0 ? -1 : SyscallTable.Number(index, abi);
                if (number >= 0)
                {
                    _newest[abi] = Math.Max(_newest[abi], (uint)number);
                    Add(abi, (uint)number, rule, name);
                }

                if (abi == SyscallAbi.I386 && name != "-")
                {
                    if (Sockets.Contains(name))
                    {
                        Add(abi, 102, rule, name);
                    }
                    else if (Ipc.Contains(name))
                    {
                        Add(abi, 117, rule, name);
                    }
                }
            }
        }
    }

    public uint Answer(in SystemCall call)
    {
        SyscallAbi? abi = Abi(_abis, call);
        if (abi is null)
        {
            return call is { Architecture: 0xC000003E, Number: uint.MaxValue } && _abis.Contains(SyscallAbi.X64) ? _otherwise : 0x80000000;
        }

        bool isShort = abi is SyscallAbi.X32 or SyscallAbi.I386 or SyscallAbi.Arm;
        uint? unconditional = null;
        uint? conditional = null;
        foreach ((uint word, SeccompRule rule, string name) in _rules.GetValueOrDefault((abi.Value, call.Number)) ?? [])
        {
            string[]? multiplexed = (abi, call.Number, name) switch
            {
                (SyscallAbi.I386, 102, not "socketcall") => Sockets,
                (SyscallAbi.I386, 117, not "ipc") => Ipc,
                _ => null,
            };
            if (multiplexed is not null)
            {
                conditional ??= Array.IndexOf(multiplexed, name) == (long)call.Arguments[0] ? word : null;
            }
            else if (rule.Args is not { Count: > 0 })
            {
                unconditional ??= word;
            }
            else
            {
                conditional ??= Holds(rule.Args, call.Arguments, isShort) ? word : null;
            }
        }

        uint newest = _newest[abi.Value];
        return unconditional ?? conditional ?? (call.Number > newest && newest > 0 && !_permissive ? 0x50000 | 38u : _otherwise);
    }

    private void Add(SyscallAbi abi, uint number, SeccompRule rule, string name)
    {
        uint word = Word(rule.Action, rule.ErrnoRet);
        if (word == _otherwise)
        {
            return;
        }

        if (!_rules.TryGetValue((abi, number), out List<(uint, SeccompRule, string)>? rules))
        {
            _rules.Add((abi, number), rules = []);
        }

        rules.Add((word, rule, name));
    }

    private static SyscallAbi? Abi(IReadOnlySet<SyscallAbi> abis, in SystemCall call)
    {
        SyscallAbi? abi = call.Architecture switch
        {
            0xC000003E => (call.Number & 0x40000000) != 0 ? SyscallAbi.X32 : SyscallAbi.X64,
            0x40000003 => SyscallAbi.I386,
            0xC00000B7 => SyscallAbi.Arm64,
            0x40000028 => SyscallAbi.Arm,
            _ => null,
        };
        return abi is not null && abis.Contains(abi.Value) ? abi : null;
    }

    private static bool Holds(IReadOnlyList<SeccompArgument> conditions, ulong[] arguments, bool isShort)
    {
        bool Holds(SeccompArgument condition)
        {
            ulong width = isShort ? uint.MaxValue : ulong.MaxValue;
            ulong argument = arguments[condition.Index] & width;
            ulong value = condition.Value & width;
            return condition.Op switch
            {
                "SCMP_CMP_NE" => argument != value,
                "SCMP_CMP_LT" => argument < value,
                "SCMP_CMP_LE" => argument <= value,
                "SCMP_CMP_EQ" => argument == value,
                "SCMP_CMP_GE" => argument >= value,
                "SCMP_CMP_GT" => argument > value,
                _ => (argument & value) == ((condition.ValueTwo ?? 0) & value),
            };
        }

        bool alternatives = conditions.Select(c => c.Index).Distinct().Count() < conditions.Count;
        return alternatives ? conditions.Any(Holds) : conditions.All(Holds);
    }

    private static uint Word(string action, uint? errno) => action switch
    {
        "SCMP_ACT_KILL" or "SCMP_ACT_KILL_THREAD" => 0,
        "SCMP_ACT_KILL_PROCESS" => 0x80000000,
        "SCMP_ACT_TRAP" => 0x30000,
        "SCMP_ACT_ERRNO" => 0x50000 | (errno ?? 1),
        "SCMP_ACT_NOTIFY" => 0x7fc00000,
        "SCMP_ACT_TRACE" => 0x7ff00000 | (errno ?? 1),
        "SCMP_ACT_LOG" => 0x7ffc0000,
        "SCMP_ACT_ALLOW" => 0x7fff0000,
        _ => throw new ArgumentException(action),
    };
}
