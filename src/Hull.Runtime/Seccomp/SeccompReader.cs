using System.Runtime.InteropServices;
using Hull.Linux;
using Hull.Oci;
using Hull.Oci.RuntimeSpec;

namespace Hull.Runtime;

/// <summary>Checks the words of a runtime-spec seccomp document and turns them into numbers.</summary>
internal static class SeccompReader
{
    private const string Root = "linux.seccomp";

    /// <summary>MAX_ERRNO of the kernel; seccomp caps the data of SECCOMP_RET_ERRNO to it.</summary>
    private const uint MaximumErrno = 4095;

    private const string ErrnoAction = "SCMP_ACT_ERRNO";
    private const string TraceAction = "SCMP_ACT_TRACE";

    /// <summary>A <see cref="SeccompListener"/> answers.</summary>
    public const string Notify = "SCMP_ACT_NOTIFY";

    /// <summary>A call that a listener has received waits for its answer and is not interrupted by a signal that does not kill
    /// (Linux 5.19).</summary>
    public const string WaitKillableReceive = "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV";

    /// <summary>Actions that carry no number of their own.</summary>
    private static readonly Dictionary<string, uint> Answers = new(StringComparer.Ordinal)
    {
        ["SCMP_ACT_ALLOW"] = SeccompReturn.Allow,
        ["SCMP_ACT_LOG"] = SeccompReturn.Log,
        ["SCMP_ACT_TRAP"] = SeccompReturn.Trap,
        ["SCMP_ACT_KILL"] = SeccompReturn.KillThread,
        ["SCMP_ACT_KILL_THREAD"] = SeccompReturn.KillThread,
        ["SCMP_ACT_KILL_PROCESS"] = SeccompReturn.KillProcess,
    };

    /// <summary>The actions that a container may have.</summary>
    public static IEnumerable<string> Actions => Answers.Keys.Concat([ErrnoAction, TraceAction, Notify]).Order(StringComparer.Ordinal);

    public static readonly IReadOnlyDictionary<string, Comparison> Operators = new Dictionary<string, Comparison>(StringComparer.Ordinal)
    {
        ["SCMP_CMP_NE"] = Comparison.NotEqual,
        ["SCMP_CMP_LT"] = Comparison.Less,
        ["SCMP_CMP_LE"] = Comparison.LessOrEqual,
        ["SCMP_CMP_EQ"] = Comparison.Equal,
        ["SCMP_CMP_GE"] = Comparison.GreaterOrEqual,
        ["SCMP_CMP_GT"] = Comparison.Greater,
        ["SCMP_CMP_MASKED_EQ"] = Comparison.MaskedEqual,
    };

    public static readonly IReadOnlyDictionary<string, SeccompFlags> FlagWords = new Dictionary<string, SeccompFlags>(StringComparer.Ordinal)
    {
        ["SECCOMP_FILTER_FLAG_TSYNC"] = SeccompFlags.ThreadSync,
        ["SECCOMP_FILTER_FLAG_LOG"] = SeccompFlags.Log,
        ["SECCOMP_FILTER_FLAG_SPEC_ALLOW"] = SeccompFlags.SpeculationAllow,
        [WaitKillableReceive] = SeccompFlags.WaitKillableReceive,
    };

    /// <summary>The ABIs that the filter covers: the machine's own, and those of the document that it can run.</summary>
    public static SortedSet<SyscallAbi> Abis(Seccomp profile, Architecture architecture)
    {
        SortedSet<SyscallAbi> abis = [SyscallAbis.Native(architecture)];
        for (int i = 0; i < profile.Architectures?.Count; i++)
        {
            if (!SyscallAbis.TryParse(profile.Architectures[i], architecture, out SyscallAbi? abi))
            {
                throw new SpecException($"{Root}.architectures[{i}]", $"unknown architecture \"{profile.Architectures[i]}\"");
            }

            if (abi is not null)
            {
                abis.Add(abi.Value);
            }
        }

        return abis;
    }

    public static uint DefaultAnswer(Seccomp profile)
    {
        uint answer = Answer(profile.DefaultAction, profile.DefaultErrnoRet, $"{Root}.defaultAction", $"{Root}.defaultErrnoRet");
        return answer == SeccompReturn.UserNotification
            ? throw new SpecException($"{Root}.defaultAction", "SCMP_ACT_NOTIFY cannot be the default: the listener would wait for its own calls")
            : answer;
    }

    /// <summary>The rules of one entry of <c>syscalls</c>.</summary>
    /// <remarks>Two conditions on the same argument are alternatives, each a rule of its own; otherwise all conditions must
    /// hold. runc and crun read the document so, and profiles for docker rely on it.</remarks>
    public static IReadOnlyList<SyscallRule> Rules(SeccompRule rule, int index)
    {
        string path = $"{Root}.syscalls[{index}]";
        if (rule.Names.Count == 0)
        {
            throw new SpecException($"{path}.names", "a rule names at least one system call");
        }

        uint answer = Answer(rule.Action, rule.ErrnoRet, $"{path}.action", $"{path}.errnoRet");
        if (rule.Args is not { Count: > 0 })
        {
            return [new SyscallRule(answer, [])];
        }

        ArgumentCondition[] conditions = new ArgumentCondition[rule.Args.Count];
        uint seen = 0;
        bool alternatives = false;
        for (int i = 0; i < conditions.Length; i++)
        {
            conditions[i] = Condition(rule.Args[i], $"{path}.args[{i}]");
            alternatives |= (seen & (1u << conditions[i].Index)) != 0;
            seen |= 1u << conditions[i].Index;
        }

        return alternatives
            ? Array.ConvertAll(conditions, condition => new SyscallRule(answer, [condition]))
            : [new SyscallRule(answer, conditions)];
    }

    /// <summary>Flags for seccomp(2).</summary>
    /// <remarks>Without a list, SPEC_ALLOW: before Linux 5.16 a filter otherwise turned on a costly mitigation of
    /// speculative store bypass, which newer kernels no longer do. An empty list means no flag.</remarks>
    public static SeccompFlags Flags(Seccomp profile)
    {
        if (profile.Flags is null)
        {
            return SeccompFlags.SpeculationAllow;
        }

        SeccompFlags flags = SeccompFlags.None;
        for (int i = 0; i < profile.Flags.Count; i++)
        {
            flags |= FlagWords.TryGetValue(profile.Flags[i], out SeccompFlags flag)
                ? flag : throw new SpecException($"{Root}.flags[{i}]", $"unknown flag \"{profile.Flags[i]}\"");
        }

        return flags;
    }

    private static uint Answer(string action, uint? errno, string actionPath, string errnoPath)
    {
        switch (action)
        {
            case ErrnoAction:
                return SeccompReturn.Errno | Data(errno, MaximumErrno, errnoPath);
            case TraceAction:
                return SeccompReturn.Trace | Data(errno, ushort.MaxValue, errnoPath);
            default:
                uint answer = action == Notify ? SeccompReturn.UserNotification
                    : Answers.TryGetValue(action, out uint known) ? known
                    : throw new SpecException(actionPath, $"unknown action \"{action}\"");
                // runtime-spec, config-linux.md, seccomp: an errno beside an action that has none must fail.
                return errno is null ? answer : throw new SpecException(errnoPath, $"{action} takes no errno");
        }
    }

    private static uint Data(uint? errno, uint maximum, string path)
    {
        uint value = errno ?? (uint)Errno.EPERM;
        return value <= maximum ? value : throw new SpecException(path, $"{value} is above {maximum}");
    }

    private static ArgumentCondition Condition(SeccompArgument argument, string path)
    {
        if (argument.Index > 5)
        {
            throw new SpecException($"{path}.index", $"{argument.Index} is above 5: a system call has six arguments");
        }

        int index = (int)argument.Index;
        if (!Operators.TryGetValue(argument.Op, out Comparison comparison))
        {
            throw new SpecException($"{path}.op", $"unknown operator \"{argument.Op}\"");
        }

        if (comparison == Comparison.MaskedEqual)
        {
            ulong mask = argument.Value;
            return new ArgumentCondition(index, Comparison.MaskedEqual, (argument.ValueTwo ?? 0) & mask, mask);
        }

        return new ArgumentCondition(index, comparison, argument.Value, ulong.MaxValue);
    }
}
