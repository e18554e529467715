using Hull.Linux;
using Hull.Oci.RuntimeSpec;
using Hull.Runtime.Cgroups;

namespace Hull.Runtime.Tests.Cgroups;

public sealed class DeviceRulesTests
{
    [Fact]
    public void From_NoRules_DeniesAllButTheDefaults_GHSA_g54h_m393_cpwq()
    {
        foreach (DeviceRules rules in (DeviceRules[])[DeviceRules.From(null), DeviceRules.From([])])
        {
            Assert.False(rules.AllowsAll);
            Assert.False(Verdict(rules, DeviceKind.Block, 8, 0, DeviceAccess.Read));
            Assert.False(Verdict(rules, DeviceKind.Character, 1, 1, DeviceAccess.Read | DeviceAccess.Write));
            Assert.True(Verdict(rules, DeviceKind.Character, 1, 3, DeviceAccess.Read | DeviceAccess.Write));
            Assert.True(Verdict(rules, DeviceKind.Character, 136, 4711, DeviceAccess.All));
            Assert.True(Verdict(rules, DeviceKind.Block, 8, 0, DeviceAccess.MakeNode));
            Assert.False(Verdict(rules, DeviceKind.Block, 8, 0, DeviceAccess.MakeNode | DeviceAccess.Read));
        }
    }

    [Fact]
    public void From_AllowAll_NothingToEnforce()
    {
        Assert.True(DeviceRules.From([Rule(true, "a"), Rule(true, "c", 1, 3, "r")]).AllowsAll);
        Assert.True(DeviceRules.From([Rule(false, "a"), Rule(true, null)]).AllowsAll);
        Assert.False(DeviceRules.From([Rule(true, "a"), Rule(false, "b", 8, 0)]).AllowsAll);
        Assert.False(DeviceRules.From([Rule(true, "a"), Rule(false, "a")]).AllowsAll);
        Assert.False(DeviceRules.From([Rule(true, "a", access: "r")]).AllowsAll);
    }

    [Fact]
    public void Allows_LaterRules_WinBitByBit()
    {
        DeviceRules rules = DeviceRules.From(
            [Rule(false, "a"), Rule(true, "b", 8, null, "rw"), Rule(false, "b", 8, 1, "w"), Rule(true, "b", 8, 2, "m")]);

        Assert.True(Verdict(rules, DeviceKind.Block, 8, 0, DeviceAccess.Read | DeviceAccess.Write));
        Assert.True(Verdict(rules, DeviceKind.Block, 8, 1, DeviceAccess.Read));
        Assert.False(Verdict(rules, DeviceKind.Block, 8, 1, DeviceAccess.Read | DeviceAccess.Write));
        Assert.True(Verdict(rules, DeviceKind.Block, 8, 2, DeviceAccess.All));
        Assert.False(Verdict(rules, DeviceKind.Character, 8, 0, DeviceAccess.Read));
    }

    [Fact]
    public void Build_RandomRules_ProgramAgreesWithTheRules()
    {
        Random random = new(7);
        for (int round = 0; round < 300; round++)
        {
            List<DeviceRule> spec = [];
            for (int i = random.Next(8); i > 0; i--)
            {
                string access = string.Concat("rwm".Where(_ => random.Next(2) == 0));
                spec.Add(Rule(
                    random.Next(2) == 0, (string[])["a", "b", "c"] is var types ? types[random.Next(3)] : null, random.Next(-1, 3), random.Next(-1, 3),
                    access.Length > 0 ? access : null));
            }

            DeviceRules rules = DeviceRules.From(spec);
            BpfInstruction[] program = DeviceProgram.Build(rules);
            foreach (DeviceKind kind in (DeviceKind[])[DeviceKind.Block, DeviceKind.Character])
            {
                for (uint device = 0; device < 16; device++)
                {
                    for (int access = 0; access < 8; access++)
                    {
                        bool expected = rules.Allows(kind, device / 4, device % 4, (DeviceAccess)access);
                        Assert.Equal(expected, BpfInterpreter.Run(program, kind, device / 4, device % 4, (DeviceAccess)access));
                    }
                }
            }
        }
    }

    [Fact]
    public void Build_AnyRules_EveryInstructionCanBeReached()
    {
        // As the kernel's verifier demands.
        foreach (IReadOnlyList<DeviceRule> spec in (IReadOnlyList<DeviceRule>[])[
            [], [Rule(true, "a")], [Rule(true, "a"), Rule(false, "b", 8, 0, "w")], [Rule(false, "a"), Rule(true, null, 10, 229, "rw")]])
        {
            BpfInterpreter.AssertAllReachable(DeviceProgram.Build(DeviceRules.From(spec)));
        }
    }

    [Fact]
    public void Legacy_DockersRules_DenyAllThenAllow()
    {
        IReadOnlyList<(bool Allow, string Line)> lines = LegacyDeviceRules.Build(DeviceRules.From([Rule(false, "a"), Rule(true, "c", 10, 229, "rw")]));

        Assert.Equal((false, "a"), lines[0]);
        Assert.Equal((true, "c 10:229 rw"), lines[1]);
        Assert.Contains((true, "c *:* m"), lines);
        Assert.Contains((true, "c 136:* rwm"), lines);
        Assert.All(lines.Skip(1), line => Assert.True(line.Allow));
    }

    [Fact]
    public void Legacy_AllowAllButOne_IsAnException()
    {
        IReadOnlyList<(bool Allow, string Line)> lines = LegacyDeviceRules.Build(DeviceRules.From([Rule(true, "a"), Rule(false, "b", 8, 0)]));

        Assert.Equal([(true, "a"), (false, "b 8:0 rwm")], lines);
    }

    [Fact]
    public void Legacy_TakesBackTheSame_IsWritten()
    {
        IReadOnlyList<(bool Allow, string Line)> lines = LegacyDeviceRules.Build(
            DeviceRules.From([Rule(true, "b", 8, 0), Rule(false, "b", 8, 0, "w")]));

        Assert.Equal([(false, "a"), (true, "b 8:0 rwm"), (false, "b 8:0 w")], lines.Take(3));
    }

    [Fact]
    public void Legacy_AnyKindWithNumbers_IsBoth() => Assert.Equal(
        [(false, "a"), (true, "c 10:229 rw"), (true, "b 10:229 rw")],
        LegacyDeviceRules.Build(DeviceRules.From([Rule(true, null, 10, 229, "rw")])).Take(3));

    [Fact]
    public void Legacy_PartOfAWiderRule_IsRefusedNotIgnored() => Assert.Equal(
        "device rule deny b 8:1 w: takes a part out of allow b 8:* rwm, which cgroup v1 cannot hold "
        + "(name the devices one by one, or use a host with cgroup v2)",
        Assert.Throws<CgroupException>(
            () => LegacyDeviceRules.Build(DeviceRules.From([Rule(true, "b", 8), Rule(false, "b", 8, 1, "w")]))).Message);

    [Theory]
    [InlineData("x", "rwm", "device rule: type x is none of a, b, c")]
    [InlineData("c", "rx", "device rule: access rx has other letters than r, w, m")]
    public void From_BadRule_SaysWhat(string type, string access, string expected) =>
        Assert.Equal(expected, Assert.Throws<CgroupException>(() => DeviceRules.From([Rule(true, type, 1, 1, access)])).Message);

    [Fact]
    public void Instruction_Size_IsTheKernels() => Assert.Equal(8, System.Runtime.CompilerServices.Unsafe.SizeOf<BpfInstruction>());

    /// <summary>The rules' own verdict, which must be the program's too.</summary>
    private static bool Verdict(DeviceRules rules, DeviceKind kind, uint major, uint minor, DeviceAccess access)
    {
        bool verdict = rules.Allows(kind, major, minor, access);
        Assert.Equal(verdict, BpfInterpreter.Run(DeviceProgram.Build(rules), kind, major, minor, access));
        return verdict;
    }

    private static DeviceRule Rule(bool allow, string? type, long? major = null, long? minor = null, string? access = "rwm") =>
        new() { Allow = allow, Type = type, Major = major, Minor = minor, Access = access };
}
