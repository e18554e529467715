using Hull.Linux;

namespace Hull.Runtime.Cgroups;

/// <summary>Device rules as an eBPF program for cgroup v2, which has no device files.</summary>
/// <remarks>
/// The kernel runs it on each open(2) and mknod(2) of a device with r1 at a struct bpf_cgroup_dev_ctx
/// (include/uapi/linux/bpf.h): <c>access_type</c> (access in the upper half, type in the lower), <c>major</c>,
/// <c>minor</c>; r0 = 0 denies with EPERM. The rules are walked from the last to the first; r3 keeps the bits of access on
/// which no rule has spoken yet.
/// </remarks>
public static class DeviceProgram
{
    private const int Result = 0;
    private const int Context = 1;
    private const int Kind = 2;
    private const int Open = 3;
    private const int Major = 4;
    private const int Minor = 5;
    private const int Scratch = 0;

    /// <summary>The program for <paramref name="rules"/>.</summary>
    public static BpfInstruction[] Build(DeviceRules rules)
    {
        List<BpfInstruction> program =
        [
            BpfInstruction.LoadWord(Kind, Context, 0),
            BpfInstruction.LoadWord(Major, Context, 4),
            BpfInstruction.LoadWord(Minor, Context, 8),
            BpfInstruction.Move(Open, Kind),
            BpfInstruction.ShiftRight(Open, 16),
            BpfInstruction.And(Kind, 0xffff),
            // Neither read, write nor make: access(2) with F_OK or X_OK.
            BpfInstruction.JumpIfNotEqual(Open, 0, 2),
            .. Return(true),
        ];

        for (int i = rules.Entries.Count - 1; i >= 0; i--)
        {
            DeviceRules.Entry entry = rules.Entries[i];
            if (entry.IsEverything)
            {
                // What stands before it is not looked at: the verifier refuses code that cannot be reached.
                program.AddRange(Return(entry.Allow));
                break;
            }

            AddRule(program, entry);
        }

        return program.ToArray();
    }

    private static void AddRule(List<BpfInstruction> program, DeviceRules.Entry entry)
    {
        List<BpfInstruction> verdict = entry.Allow
            ? [BpfInstruction.And(Open, (int)(DeviceAccess.All & ~entry.Access)), BpfInstruction.JumpIfNotEqual(Open, 0, 2), .. Return(true)]
            : [BpfInstruction.Move(Scratch, Open), BpfInstruction.And(Scratch, (int)entry.Access), BpfInstruction.JumpIfEqual(Scratch, 0, 2), .. Return(false)];

        List<(int Register, int Value)> conditions = [];
        if (entry.Kind != DeviceKind.Any)
        {
            conditions.Add((Kind, (int)entry.Kind));
        }

        if (entry.Major is { } major)
        {
            conditions.Add((Major, (int)major));
        }

        if (entry.Minor is { } minor)
        {
            conditions.Add((Minor, (int)minor));
        }

        for (int i = 0; i < conditions.Count; i++)
        {
            // Past the conditions that follow and the verdict: to the next rule.
            short next = (short)(conditions.Count - i - 1 + verdict.Count);
            program.Add(BpfInstruction.JumpIfNotEqual(conditions[i].Register, conditions[i].Value, next));
        }

        program.AddRange(verdict);
    }

    private static BpfInstruction[] Return(bool allow) =>
        [BpfInstruction.Move(Result, allow ? 1L : 0L), BpfInstruction.Exit()];
}
