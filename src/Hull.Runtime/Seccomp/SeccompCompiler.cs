using System.Runtime.InteropServices;
using Hull.Linux;
using Hull.Oci;
using Hull.Oci.RuntimeSpec;

namespace Hull.Runtime;

/// <summary>Translates a seccomp profile of the runtime-spec into the classic BPF program that seccomp(2) takes.</summary>
/// <remarks>
/// <code>
/// load architecture ─┬─ x86-64 ── load number ─┬─ bit 30 clear ── tree of comparisons over the ranges of numbers ─┬─ answer
///                    │                         └─ bit 30 set ──── tree of x32, or kill                            └─ argument tests
///                    ├─ i386 ──── load number ── tree
///                    └─ any other: kill the process
/// </code>
/// A lookup is two or three loads and about log2(ranges) comparisons. Only arguments, number and architecture are read,
/// so that Linux 5.11 and later caches the numbers that are always allowed (SECCOMP_CACHE) and runs nothing for them.
/// </remarks>
public static class SeccompCompiler
{
    /// <summary>Offsets in <c>struct seccomp_data</c> (linux/seccomp.h).</summary>
    private const uint NumberOffset = 0;
    private const uint ArchitectureOffset = 4;
    private const uint ArgumentsOffset = 16;

    /// <summary>The program for a machine of the given architecture (x86-64 or arm64).</summary>
    /// <exception cref="SpecException">The profile has a word or a value that does not exist, or the program would be longer
    /// than the kernel takes.</exception>
    public static SockFilter[] Compile(Seccomp profile, Architecture architecture)
    {
        uint defaultAnswer = SeccompReader.DefaultAnswer(profile);
        IReadOnlyList<SyscallRule>[] rules = new IReadOnlyList<SyscallRule>[profile.Syscalls?.Count ?? 0];
        for (int i = 0; i < rules.Length; i++)
        {
            rules[i] = SeccompReader.Rules(profile.Syscalls![i], i);
        }

        SortedSet<SyscallAbi> abis = SeccompReader.Abis(profile, architecture);
        BackwardAssembler program = new();
        // Not only the thread: a program that loses one thread without a word waits for it for ever.
        int first = program.Return(SeccompReturn.KillProcess);
        foreach (SyscallAbi abi in abis.Reverse())
        {
            if (abi == SyscallAbi.X32)
            {
                continue; // a branch of x86-64, below
            }

            RuleTable table = RuleTable.Build(profile, rules, defaultAnswer, abi);
            int tree;
            if (abi == SyscallAbi.X64)
            {
                int x32 = abis.Contains(SyscallAbi.X32)
                    ? Tree(program, RuleTable.Build(profile, rules, defaultAnswer, SyscallAbi.X32), SyscallAbi.X32)
                    // -1 is what a tracer writes to skip a call (seccomp(2)); it is no x32 call.
                    : program.Branch(BpfCode.JumpEqual, uint.MaxValue, program.Return(defaultAnswer), program.Return(SeccompReturn.KillProcess));
                tree = program.Branch(BpfCode.JumpBitsSet, SyscallAbis.X32Bit, x32, Tree(program, table, abi));
            }
            else
            {
                tree = Tree(program, table, abi);
            }

            int section = program.Load(NumberOffset, tree);
            first = program.Branch(BpfCode.JumpEqual, abi.Audit(), section, first);
        }

        program.Load(ArchitectureOffset, first);
        SockFilter[] result = program.Finish();
        return result.Length <= SockFilter.MaximumProgramLength
            ? result
            : throw new SpecException(
                "linux.seccomp", $"the profile compiles to {result.Length} instructions, the kernel takes {SockFilter.MaximumProgramLength}");
    }

    /// <summary>The flags for seccomp(2) that the profile asks for.</summary>
    /// <exception cref="SpecException">A flag that does not exist.</exception>
    public static SeccompFlags Flags(Seccomp profile) => SeccompReader.Flags(profile);

    /// <summary>Whether some rule hands calls to a listener (SCMP_ACT_NOTIFY).</summary>
    public static bool NeedsListener(Seccomp profile) =>
        profile.Syscalls?.Any(rule => rule.Action == SeccompReader.Notify) ?? false;

    private static int Tree(BackwardAssembler program, RuleTable table, SyscallAbi abi) =>
        Tree(program, table.Ranges, 0, table.Ranges.Count, abi);

    /// <summary>A balanced tree over the ranges from <paramref name="low"/> up to <paramref name="high"/>, the latter not included.</summary>
    private static int Tree(BackwardAssembler program, IReadOnlyList<NumberRange> ranges, int low, int high, SyscallAbi abi)
    {
        if (high - low == 1)
        {
            return Leaf(program, ranges[low], abi);
        }

        int middle = (low + high) / 2;
        int above = Tree(program, ranges, middle, high, abi);
        int below = Tree(program, ranges, low, middle, abi);
        return program.Branch(BpfCode.JumpGreaterOrEqual, ranges[middle].First, above, below);
    }

    private static int Leaf(BackwardAssembler program, NumberRange range, SyscallAbi abi)
    {
        int next = program.Return(range.Otherwise);
        for (int i = range.Rules.Count - 1; i >= 0; i--)
        {
            int match = program.Return(range.Rules[i].Answer);
            for (int j = range.Rules[i].Conditions.Length - 1; j >= 0; j--)
            {
                match = Test(program, range.Rules[i].Conditions[j], match, next, abi.HasShortArguments());
            }

            next = match;
        }

        return next;
    }

    /// <summary>Compares a 64-bit argument with the 32-bit words of BPF, the upper word first.</summary>
    /// <param name="isShort">The ABI's arguments have 32 bits: the lower word is all there is, and of the profile's value too,
    /// so that -1 written as 64 bits still means -1.</param>
    private static int Test(BackwardAssembler program, ArgumentCondition condition, int yes, int no, bool isShort)
    {
        switch (condition.Comparison)
        {
            case Comparison.NotEqual:
                return Test(program, condition with { Comparison = Comparison.Equal }, no, yes, isShort);
            case Comparison.Less:
                return Test(program, condition with { Comparison = Comparison.GreaterOrEqual }, no, yes, isShort);
            case Comparison.LessOrEqual:
                return Test(program, condition with { Comparison = Comparison.Greater }, no, yes, isShort);
        }

        uint lowerOffset = ArgumentsOffset + ((uint)condition.Index * 8);
        uint upperOffset = lowerOffset + 4; // both machines are little-endian
        (uint lower, uint upper) = ((uint)condition.Value, (uint)(condition.Value >> 32));
        (uint lowerMask, uint upperMask) = ((uint)condition.Mask, (uint)(condition.Mask >> 32));
        bool isEquality = condition.Comparison is Comparison.Equal or Comparison.MaskedEqual;

        ushort code = condition.Comparison switch
        {
            Comparison.Greater => BpfCode.JumpGreater,
            Comparison.GreaterOrEqual => BpfCode.JumpGreaterOrEqual,
            _ => BpfCode.JumpEqual,
        };
        int test = LoadMasked(program, lowerOffset, lowerMask, program.Branch(code, lower, yes, no));
        if (isShort || (isEquality && upperMask == 0))
        {
            return test;
        }

        int equal = program.Branch(BpfCode.JumpEqual, upper, test, no);
        return LoadMasked(program, upperOffset, upperMask, isEquality ? equal : program.Branch(BpfCode.JumpGreater, upper, yes, equal));
    }

    private static int LoadMasked(BackwardAssembler program, uint offset, uint mask, int next) =>
        program.Load(offset, mask == uint.MaxValue ? next : program.And(mask, next));
}
