using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using Hull.Linux;
using Hull.Oci;
using Hull.Oci.RuntimeSpec;

namespace Hull.Runtime.Tests;

public sealed class DefaultProfileTests
{
    private static readonly Version Kernel = new(6, 1);

    private static string Sources([CallerFilePath] string here = "") =>
        Path.GetFullPath(Path.Combine(Path.GetDirectoryName(here)!, "../../../../src/Hull.Runtime/Seccomp"));

    [Fact]
    public void Document_GeneratedFromJson_EqualsIt()
    {
        SeccompDocument parsed = SeccompDocument.Parse(File.ReadAllBytes(Path.Combine(Sources(), "default-profile.json")), "default-profile.json");

        Assert.Equal(
            JsonSerializer.Serialize(parsed, SeccompDocumentJson.Default.SeccompDocument),
            JsonSerializer.Serialize(DefaultProfile.Document(), SeccompDocumentJson.Default.SeccompDocument));
    }

    [Theory]
    [InlineData("default", Architecture.X64)]
    [InlineData("default", Architecture.Arm64)]
    [InlineData("all", Architecture.X64)]
    [InlineData("all", Architecture.Arm64)]
    [InlineData("none", Architecture.X64)]
    [InlineData("none", Architecture.Arm64)]
    public void For_Capabilities_IsWhatDockerResolves(string set, Architecture architecture)
    {
        CapabilitySet capabilities = set switch
        {
            "default" => CapabilityChoice.Defaults,
            "all" => CapabilitySet.AllNamed,
            _ => CapabilitySet.Empty,
        };
        Seccomp expected = GoldenProfile.Document($"docker-{set}-{(architecture == Architecture.X64 ? "x64" : "arm64")}");

        Seccomp profile = DefaultProfile.For(capabilities, architecture, Kernel);

        Assert.Equal(JsonSerializer.Serialize(expected, RuntimeSpecJson.Default.Seccomp), JsonSerializer.Serialize(profile, RuntimeSpecJson.Default.Seccomp));
    }

    /// <summary>With HULL_WRITE_GOLDEN=1 the compiled programs are written, for the next build.</summary>
    [Fact]
    public void Program_DefaultCapabilities_IsTheCompiledOneAsData()
    {
        ulong[] x64 = Compile(Architecture.X64);
        ulong[] arm64 = Compile(Architecture.Arm64);
        if (Environment.GetEnvironmentVariable("HULL_WRITE_GOLDEN") == "1")
        {
            string path = Path.Combine(Sources(), "DefaultProfile.Programs.cs");
            string text = File.ReadAllText(path);
            text = text[..text.IndexOf("    private static ReadOnlySpan<ulong> X64Program", StringComparison.Ordinal)]
                + Table("X64Program", x64) + "\n" + Table("Arm64Program", arm64) + "}\n";
            File.WriteAllText(path, text);
        }

        Assert.Equal(x64, MemoryMarshal.Cast<byte, ulong>(DefaultProfile.Program(CapabilityChoice.Defaults, Architecture.X64, Kernel)).ToArray());
        Assert.Equal(arm64, MemoryMarshal.Cast<byte, ulong>(DefaultProfile.Program(CapabilityChoice.Defaults, Architecture.Arm64, Kernel)).ToArray());
    }

    [Fact]
    public void Program_CapabilitiesThatNoRuleMentions_StillTheData()
    {
        CapabilitySet capabilities = (CapabilityChoice.Defaults | CapabilitySet.Of(["NET_ADMIN", "WAKE_ALARM"])) - CapabilitySet.Of(["CHOWN"]);

        Assert.True(DefaultProfile.Program(capabilities, Architecture.X64, Kernel) == DefaultProfile.Program(CapabilityChoice.Defaults, Architecture.X64, Kernel));
        Assert.Equal(
            JsonSerializer.Serialize(DefaultProfile.For(CapabilityChoice.Defaults, Architecture.X64, Kernel), RuntimeSpecJson.Default.Seccomp),
            JsonSerializer.Serialize(DefaultProfile.For(capabilities, Architecture.X64, Kernel), RuntimeSpecJson.Default.Seccomp));
    }

    [Fact]
    public void Program_EachCapabilityAlone_EqualsItsOwnProfile()
    {
        foreach (string name in CapabilitySet.AllNamed.Names())
        {
            foreach (CapabilitySet set in new[] { CapabilityChoice.Defaults | CapabilitySet.Of([name]), CapabilityChoice.Defaults - CapabilitySet.Of([name]) })
            {
                SockFilter[] compiled = SeccompCompiler.Compile(DefaultProfile.For(set, Architecture.X64, Kernel), Architecture.X64);

                Assert.True(MemoryMarshal.AsBytes<SockFilter>(compiled).SequenceEqual(DefaultProfile.Program(set, Architecture.X64, Kernel)), name);
            }
        }
    }

    [Fact]
    public void Program_KernelOlderThanMinKernel_LeavesPtraceOut()
    {
        uint Answer(Version kernel) => BpfInterpreter.Run(
            MemoryMarshal.Cast<byte, SockFilter>(DefaultProfile.Program(CapabilityChoice.Defaults, Architecture.X64, kernel)),
            new SystemCall(AuditArchitecture.X64, 101, new ulong[6])).Answer;

        Assert.Equal(SeccompReturn.Allow, Answer(new Version(4, 8)));
        Assert.Equal(SeccompReturn.Errno | 1, Answer(new Version(4, 7)));
    }

    [Theory]
    [InlineData(2, true)] // AF_INET
    [InlineData(16, true)] // AF_NETLINK
    [InlineData(38, false)] // AF_ALG
    [InlineData(39, true)] // AF_NFC
    [InlineData(40, false)] // AF_VSOCK
    [InlineData(44, true)] // AF_XDP
    [InlineData(0x1_0000_0026, false)] // AF_ALG to the kernel, "above 40" to docker's rule
    [InlineData(0x1_0000_0028, false)] // AF_VSOCK likewise
    public void Program_SocketFamilies_NoneThatTheProfileForbids(ulong family, bool allowed)
    {
        ReadOnlySpan<SockFilter> program = MemoryMarshal.Cast<byte, SockFilter>(DefaultProfile.Program(CapabilityChoice.Defaults, Architecture.X64, Kernel));

        uint answer = BpfInterpreter.Run(program, new SystemCall(AuditArchitecture.X64, 41, [family, 0, 0, 0, 0, 0])).Answer;

        Assert.Equal(allowed ? SeccompReturn.Allow : SeccompReturn.Errno | 1, answer);
    }

    [Theory]
    [InlineData(0x7C020000UL, false)] // CLONE_NEWUSER and the other namespaces but time
    [InlineData(0x10000000UL, false)]
    [InlineData(0x00020000UL, false)]
    [InlineData(0x01200011UL, true)] // fork
    [InlineData(0x003d0f00UL, true)] // a thread
    public void Program_Clone_NoNewNamespaces_CVE_2022_0492(ulong flags, bool allowed)
    {
        ReadOnlySpan<SockFilter> program = MemoryMarshal.Cast<byte, SockFilter>(DefaultProfile.Program(CapabilityChoice.Defaults, Architecture.X64, Kernel));

        uint clone = BpfInterpreter.Run(program, new SystemCall(AuditArchitecture.X64, 56, [flags, 0, 0, 0, 0, 0])).Answer;
        uint clone3 = BpfInterpreter.Run(program, new SystemCall(AuditArchitecture.X64, 435, new ulong[6])).Answer;
        uint unshare = BpfInterpreter.Run(program, new SystemCall(AuditArchitecture.X64, 272, [flags, 0, 0, 0, 0, 0])).Answer;

        Assert.Equal(allowed ? SeccompReturn.Allow : SeccompReturn.Errno | 1, clone);
        // glibc falls back to clone(2), which a filter can look into.
        Assert.Equal(SeccompReturn.Errno | 38, clone3);
        Assert.Equal(SeccompReturn.Errno | 1, unshare);
    }

    [Fact]
    public void Parse_OldDockerForm_NameAndNoMap()
    {
        SeccompDocument document = SeccompDocument.Parse(
            """{"defaultAction":"SCMP_ACT_ALLOW","architectures":["SCMP_ARCH_X86"],"syscalls":[{"name":"chmod","action":"SCMP_ACT_ERRNO","args":[]}],"comment":1}"""u8,
            "old.json");

        Seccomp profile = document.Resolve(CapabilitySet.Empty, Architecture.X64, Kernel);

        Assert.Equal(["SCMP_ARCH_X86"], profile.Architectures);
        Assert.Equal(["chmod"], profile.Syscalls![0].Names);
    }

    [Theory]
    [InlineData("""{"includes":{"caps":["CAP_SYS_ADMIN"]}}""", false)]
    [InlineData("""{"includes":{"caps":["CAP_CHOWN","CAP_SYS_ADMIN"]}}""", false)]
    [InlineData("""{"includes":{"caps":["CAP_CHOWN"]}}""", true)]
    [InlineData("""{"excludes":{"caps":["CAP_SYS_ADMIN"]}}""", true)]
    [InlineData("""{"excludes":{"caps":["CAP_SYS_ADMIN","CAP_CHOWN"]}}""", false)]
    [InlineData("""{"includes":{"arches":["arm","arm64"]}}""", false)]
    [InlineData("""{"includes":{"arches":["amd64"]}}""", true)]
    [InlineData("""{"excludes":{"arches":["amd64"]}}""", false)]
    [InlineData("""{"includes":{"minKernel":"6.1"}}""", true)]
    [InlineData("""{"includes":{"minKernel":"6.2"}}""", false)]
    [InlineData("""{"excludes":{"minKernel":"4.8"}}""", false)]
    [InlineData("""{"includes":{},"excludes":{}}""", true)]
    public void Resolve_Terms_DecideWhetherTheRuleIsPart(string terms, bool part)
    {
        string json = $$"""{"defaultAction":"SCMP_ACT_ERRNO","syscalls":[{"names":["read"],"action":"SCMP_ACT_ALLOW",{{terms[1..]}}]}""";

        Seccomp profile = SeccompDocument.Parse(Encoding.UTF8.GetBytes(json), "p.json").Resolve(CapabilityChoice.Defaults, Architecture.X64, Kernel);

        Assert.Equal(part ? 1 : 0, profile.Syscalls!.Count);
    }

    [Theory]
    [InlineData("", "p.json: not a seccomp profile")]
    [InlineData("{", "p.json: not a seccomp profile")]
    [InlineData("null", "p.json: the profile is null")]
    [InlineData("{}", "p.json: not a seccomp profile")]
    [InlineData("""{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":"read","action":"SCMP_ACT_ALLOW"}]}""", "p.json: syscalls[0].names: not a seccomp profile (line 1)")]
    [InlineData("""{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"name":"read","names":["read"],"action":"SCMP_ACT_ALLOW"}]}""", "p.json: syscalls[0]: both name and names are given, use one of them")]
    [InlineData("""{"defaultAction":"SCMP_ACT_ALLOW","architectures":["SCMP_ARCH_X86"],"archMap":[{"architecture":"SCMP_ARCH_X86_64"}]}""", "p.json: both architectures and archMap are given, use one of them")]
    [InlineData("""{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["read"],"action":"SCMP_ACT_ALLOW","includes":{"minKernel":"new"}}]}""", "p.json: syscalls[0]: minKernel \"new\" is not of the form 4.8")]
    public void Parse_NoProfile_SaysWhatIsWrong(string json, string message)
    {
        SpecException error = Assert.Throws<SpecException>(() => SeccompDocument.Parse(Encoding.UTF8.GetBytes(json), "p.json"));

        Assert.StartsWith(message, error.Message, StringComparison.Ordinal);
    }

    private static ulong[] Compile(Architecture architecture)
    {
        Seccomp profile = DefaultProfile.For(CapabilityChoice.Defaults, architecture, Kernel);
        return MemoryMarshal.Cast<SockFilter, ulong>(SeccompCompiler.Compile(profile, architecture)).ToArray();
    }

    private static string Table(string name, ulong[] program)
    {
        StringBuilder text = new($"    private static ReadOnlySpan<ulong> {name} =>\n    [\n");
        foreach (ulong[] line in program.Chunk(5))
        {
            text.Append("        ").AppendJoin(' ', line.Select(word => $"0x{word:x16},")).Append('\n');
        }

        return text.Append("    ];\n").ToString();
    }
}
