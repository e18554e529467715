using System.Runtime.InteropServices;
using Hull.Linux;
using Hull.Oci;
using Hull.Oci.RuntimeSpec;

namespace Hull.Runtime.Tests;

public sealed class SeccompCompilerTests
{
    public static TheoryData<string> Golden => new(GoldenProfile.All);

    [Theory]
    [MemberData(nameof(Golden))]
    public void Compile_EveryNumberAndArchitecture_AnswersAsLibseccompDoes(string name)
    {
        GoldenProfile golden = GoldenProfile.Load(name);
        Seccomp profile = golden.Reduced();
        ProfileEvaluator document = new(profile, SeccompReader.Abis(profile, golden.Machine));

        SockFilter[] program = SeccompCompiler.Compile(profile, golden.Machine);

        BpfInterpreter.Verify(program);
        foreach (SystemCall call in GoldenProfile.Calls(profile))
        {
            uint expected = BpfInterpreter.Run(golden.Program, call).Answer;
            uint answer = BpfInterpreter.Run(program, call).Answer;
            // libseccomp knows nothing of newer calls; runc puts that test before its program.
            if (answer == (0x50000 | 38u) && expected != answer)
            {
                Assert.Equal(document.Answer(call), answer);
            }
            else
            {
                Assert.True(expected == answer, $"{Text(call)}: libseccomp {expected:x8}, hull {answer:x8}");
            }
        }
    }

    [Theory]
    [MemberData(nameof(Golden))]
    public void Compile_EveryNumberAndArchitecture_AnswersAsTheDocumentSays(string name)
    {
        GoldenProfile golden = GoldenProfile.Load(name);
        ProfileEvaluator document = new(golden.Profile, SeccompReader.Abis(golden.Profile, golden.Machine));

        SockFilter[] program = SeccompCompiler.Compile(golden.Profile, golden.Machine);

        foreach (SystemCall call in GoldenProfile.Calls(golden.Profile))
        {
            uint expected = document.Answer(call);
            uint answer = BpfInterpreter.Run(program, call).Answer;
            Assert.True(expected == answer, $"{Text(call)}: document {expected:x8}, hull {answer:x8}");
        }
    }

    [Fact]
    public void Compile_DockerProfile_LookupTakesFewSteps()
    {
        Seccomp profile = GoldenProfile.Document("docker-default-x64");
        SockFilter[] program = SeccompCompiler.Compile(profile, Architecture.X64);

        int worst = Enumerable.Range(0, 500).Max(n => BpfInterpreter.Run(program, new SystemCall(AuditArchitecture.X64, (uint)n, new ulong[6])).Steps);

        // Load, architecture, load, bit 30, seven or eight comparisons, and the tests of socket(2) or personality(2).
        Assert.InRange(worst, 5, 40);
        Assert.InRange(program.Length, 100, 800);
    }

    [Fact]
    public void Compile_CallNewerThanTheProfile_GetsEnosys()
    {
        SockFilter[] program = SeccompCompiler.Compile(Allowing("read", "close_range"), Architecture.X64);

        Assert.Equal(SeccompReturn.Errno | 38, Answer(program, AuditArchitecture.X64, 437)); // openat2, one above close_range
        Assert.Equal(SeccompReturn.Errno | 1, Answer(program, AuditArchitecture.X64, 435)); // clone3, one below
        Assert.Equal(SeccompReturn.Allow, Answer(program, AuditArchitecture.X64, 436));
    }

    [Theory]
    [InlineData("SCMP_ACT_ALLOW")]
    [InlineData("SCMP_ACT_LOG")]
    [InlineData("SCMP_ACT_TRACE")]
    public void Compile_CallNewerThanPermissiveProfile_GetsTheDefault(string action)
    {
        Seccomp profile = new()
        {
            DefaultAction = action,
            Syscalls = [new SeccompRule { Names = ["read"], Action = "SCMP_ACT_ERRNO" }],
        };

        uint answer = Answer(SeccompCompiler.Compile(profile, Architecture.X64), AuditArchitecture.X64, 450);

        Assert.NotEqual(SeccompReturn.Errno | 38, answer);
    }

    [Fact]
    public void Compile_OtherArchitecture_KillsTheProcess()
    {
        SockFilter[] program = SeccompCompiler.Compile(Allowing("read"), Architecture.X64);

        Assert.Equal(SeccompReturn.KillProcess, Answer(program, AuditArchitecture.I386, 3));
        Assert.Equal(SeccompReturn.KillProcess, Answer(program, AuditArchitecture.X64, 0 | 0x40000000));
        Assert.Equal(SeccompReturn.Allow, Answer(program, AuditArchitecture.X64, 0));
    }

    [Fact]
    public void Compile_NoRules_AnswersTheDefaultEverywhere()
    {
        SockFilter[] program = SeccompCompiler.Compile(new Seccomp { DefaultAction = "SCMP_ACT_LOG" }, Architecture.Arm64);

        Assert.Equal(SeccompReturn.Log, Answer(program, AuditArchitecture.Arm64, 0));
        Assert.Equal(SeccompReturn.Log, Answer(program, AuditArchitecture.Arm64, 9999));
    }

    [Fact]
    public void Compile_ManyConditions_ReachesFurtherThanAConditionalJump()
    {
        // Each call has 40 conditional rules of its own: far more than 255 instructions between a comparison and its leaf.
        string[] names = ["read", "write", "open", "close", "stat", "fstat", "lstat", "poll"];
        List<SeccompRule> rules = [];
        foreach (string name in names)
        {
            for (uint i = 0; i < 40; i++)
            {
                SeccompArgument argument = new() { Index = i % 6, Value = ((ulong)i << 32) + i, Op = "SCMP_CMP_EQ" };
                rules.Add(new SeccompRule { Names = [name], Action = "SCMP_ACT_ERRNO", ErrnoRet = 100 + i, Args = [argument] });
            }
        }

        Seccomp profile = new() { DefaultAction = "SCMP_ACT_ALLOW", Syscalls = rules };
        SockFilter[] program = SeccompCompiler.Compile(profile, Architecture.X64);

        BpfInterpreter.Verify(program);
        Assert.True(program.Length > 8 * 40 * 4);
        ProfileEvaluator document = new(profile, new SortedSet<SyscallAbi> { SyscallAbi.X64 });
        foreach (SystemCall call in GoldenProfile.Calls(profile).Where(call => call.Number < 10 && call.Architecture == AuditArchitecture.X64))
        {
            Assert.Equal(document.Answer(call), BpfInterpreter.Run(program, call).Answer);
        }
    }

    [Fact]
    public void Compile_MoreThanTheKernelTakes_SaysSo()
    {
        List<SeccompRule> rules = [];
        for (uint i = 0; i < 1500; i++)
        {
            SeccompArgument argument = new() { Index = 0, Value = ((ulong)i << 32) + i, Op = "SCMP_CMP_EQ" };
            rules.Add(new SeccompRule { Names = ["read"], Action = "SCMP_ACT_ERRNO", Args = [argument] });
        }

        SpecException error = Assert.Throws<SpecException>(
            () => SeccompCompiler.Compile(new Seccomp { DefaultAction = "SCMP_ACT_ALLOW", Syscalls = rules }, Architecture.X64));

        Assert.Contains("the kernel takes 4096", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Compile_RandomProfiles_AnswerAsTheDocumentSays()
    {
        Random random = new(20240917);
        string[] names = SyscallTable.AllNames().ToArray();
        string[] actions = ["SCMP_ACT_ALLOW", "SCMP_ACT_ERRNO", "SCMP_ACT_KILL", "SCMP_ACT_KILL_PROCESS", "SCMP_ACT_TRAP", "SCMP_ACT_LOG", "SCMP_ACT_TRACE", "SCMP_ACT_NOTIFY"];
        string[] operators = ["SCMP_CMP_NE", "SCMP_CMP_LT", "SCMP_CMP_LE", "SCMP_CMP_EQ", "SCMP_CMP_GE", "SCMP_CMP_GT", "SCMP_CMP_MASKED_EQ"];
        ulong[] values = [0, 1, 2, uint.MaxValue, 1UL << 32, (1UL << 32) + 1, ulong.MaxValue, 0x1234_5678_9abc_def0];
        T Pick<T>(T[] from) => from[random.Next(from.Length)];
        for (int round = 0; round < 20; round++)
        {
            List<SeccompRule> rules = Enumerable.Range(0, random.Next(1, 25)).Select(_ => new SeccompRule
            {
                Names = Enumerable.Range(0, random.Next(1, 9)).Select(_ => Pick(names)).ToList(),
                Action = Pick(actions),
                Args = Enumerable.Range(0, Math.Max(0, random.Next(-2, 4))).Select(_ => new SeccompArgument
                {
                    Index = (uint)random.Next(6),
                    Value = Pick(values),
                    ValueTwo = Pick(values),
                    Op = Pick(operators),
                }).ToList(),
            }).ToList();
            Architecture machine = round % 2 == 0 ? Architecture.X64 : Architecture.Arm64;
            Seccomp profile = new()
            {
                DefaultAction = Pick(actions[..7]),
                Architectures = machine == Architecture.X64 ? ["SCMP_ARCH_X86", "SCMP_ARCH_X32"] : ["SCMP_ARCH_ARM"],
                Syscalls = rules,
            };
            ProfileEvaluator document = new(profile, SeccompReader.Abis(profile, machine));
            SockFilter[] program = SeccompCompiler.Compile(profile, machine);
            BpfInterpreter.Verify(program);
            for (int i = 0; i < 3000; i++)
            {
                uint architecture = machine == Architecture.X64
                    ? Pick([AuditArchitecture.X64, AuditArchitecture.I386])
                    : Pick([AuditArchitecture.Arm64, AuditArchitecture.Arm]);
                bool isShort = architecture is AuditArchitecture.I386 or AuditArchitecture.Arm;
                ulong[] arguments = Enumerable.Range(0, 6).Select(_ => Pick(values) & (isShort ? uint.MaxValue : ulong.MaxValue)).ToArray();
                uint number = (uint)random.Next(480) | (machine == Architecture.X64 && random.Next(4) == 0 ? 0x40000000u : 0);
                SystemCall call = new(architecture, number, arguments);
                uint expected = document.Answer(call);
                Assert.True(expected == BpfInterpreter.Run(program, call).Answer, $"round {round}: {Text(call)}");
            }
        }
    }

    [Fact]
    public void Compile_WrongWord_NamesItsPlace()
    {
        Seccomp good = Allowing("read");
        SeccompRule rule = good.Syscalls![0];
        SeccompArgument argument = new() { Index = 0, Value = 0, Op = "SCMP_CMP_EQ" };
        (Seccomp Profile, string Message)[] wrong =
        [
            (good with { DefaultAction = "SCMP_ACT_MAYBE" }, "linux.seccomp.defaultAction: unknown action \"SCMP_ACT_MAYBE\""),
            (good with { DefaultAction = "SCMP_ACT_NOTIFY" }, "linux.seccomp.defaultAction: SCMP_ACT_NOTIFY cannot be the default: the listener would wait for its own calls"),
            (good with { DefaultErrnoRet = 4096 }, "linux.seccomp.defaultErrnoRet: 4096 is above 4095"),
            (good with { Architectures = ["SCMP_ARCH_VAX"] }, "linux.seccomp.architectures[0]: unknown architecture \"SCMP_ARCH_VAX\""),
            (good with { Syscalls = [rule, rule with { Action = "ALLOW" }] }, "linux.seccomp.syscalls[1].action: unknown action \"ALLOW\""),
            (good with { Syscalls = [rule with { ErrnoRet = 5 }] }, "linux.seccomp.syscalls[0].errnoRet: SCMP_ACT_ALLOW takes no errno"),
            (good with { Syscalls = [rule with { Names = [] }] }, "linux.seccomp.syscalls[0].names: a rule names at least one system call"),
            (good with { Syscalls = [rule with { Args = [argument with { Index = 6 }] }] }, "linux.seccomp.syscalls[0].args[0].index: 6 is above 5: a system call has six arguments"),
            (good with { Syscalls = [rule with { Args = [argument, argument with { Op = "==" }] }] }, "linux.seccomp.syscalls[0].args[1].op: unknown operator \"==\""),
        ];

        foreach ((Seccomp profile, string message) in wrong)
        {
            Assert.Equal(message, Assert.Throws<SpecException>(() => SeccompCompiler.Compile(profile, Architecture.X64)).Message);
        }
    }

    [Fact]
    public void Flags_WordsAndTheirAbsence_AreTheKernelsBits()
    {
        Seccomp profile = Allowing("read");

        Assert.Equal(SeccompFlags.SpeculationAllow, SeccompCompiler.Flags(profile));
        Assert.Equal(SeccompFlags.None, SeccompCompiler.Flags(profile with { Flags = [] }));
        Assert.Equal(
            SeccompFlags.Log | SeccompFlags.ThreadSync,
            SeccompCompiler.Flags(profile with { Flags = ["SECCOMP_FILTER_FLAG_LOG", "SECCOMP_FILTER_FLAG_TSYNC"] }));
        SpecException error = Assert.Throws<SpecException>(() => SeccompCompiler.Flags(profile with { Flags = ["LOG"] }));
        Assert.Equal("linux.seccomp.flags[0]: unknown flag \"LOG\"", error.Message);
    }

    [Theory]
    [InlineData("read", 0, 0x40000000, 3, 63, 3)]
    [InlineData("rt_sigaction", 13, 0x40000200, 174, 134, 174)]
    [InlineData("socket", 41, 0x40000029, 359, 198, 281)]
    [InlineData("clone3", 435, 0x400001b3, 435, 435, 435)]
    [InlineData("removexattrat", 466, 0x400001d2, 466, 466, 466)]
    [InlineData("umount", -1, -1, 22, -1, -1)]
    [InlineData("set_tls", -1, -1, -1, -1, 0xf0005)]
    [InlineData("uretprobe", 335, -1, -1, -1, -1)]
    public void Number_KnownName_IsThatOfEachKernelTable(string name, int x64, int x32, int i386, int arm64, int arm)
    {
        int index = SyscallTable.IndexOf(name);

        Assert.Equal(
            [x64, x32, i386, arm64, arm],
            new[] { SyscallAbi.X64, SyscallAbi.X32, SyscallAbi.I386, SyscallAbi.Arm64, SyscallAbi.Arm }.Select(abi => SyscallTable.Number(index, abi)));
    }

    [Fact]
    public void IndexOf_EveryName_FindsIt_AndNothingElse()
    {
        List<string> names = SyscallTable.AllNames().ToList();

        Assert.Equal(Enumerable.Range(0, names.Count), names.Select(name => SyscallTable.IndexOf(name)));
        Assert.All(["", "zzz", "rea", "reads", "READ"], name => Assert.True(SyscallTable.IndexOf(name) < 0));
    }

    private static Seccomp Allowing(params string[] names) => new()
    {
        DefaultAction = "SCMP_ACT_ERRNO",
        Syscalls = [new SeccompRule { Names = names, Action = "SCMP_ACT_ALLOW" }],
    };

    private static uint Answer(SockFilter[] program, uint architecture, uint number) =>
        BpfInterpreter.Run(program, new SystemCall(architecture, number, new ulong[6])).Answer;

    private static string Text(in SystemCall call) =>
        $"architecture {call.Architecture:x8} number {call.Number} ({string.Join(' ', call.Arguments.Select(a => a.ToString("x")))})";
}
