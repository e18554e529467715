using System.Runtime.InteropServices;
using Hull.Linux;

namespace Hull.Runtime;

/// <summary>One way to number system calls. Two of them, x86-64 and x32, share an audit architecture.</summary>
internal enum SyscallAbi
{
    X64,
    /// <summary>32-bit pointers on x86-64; its numbers carry <see cref="SyscallAbis.X32Bit"/>.</summary>
    X32,
    I386,
    Arm64,
    Arm,
}

internal static class SyscallAbis
{
    /// <summary>__X32_SYSCALL_BIT (arch/x86/include/uapi/asm/unistd.h).</summary>
    public const uint X32Bit = 0x40000000;

    /// <summary>The architecture words of the runtime-spec that no machine of hull runs: accepted and without effect,
    /// for a program of another architecture never gets as far as a system call.</summary>
    private static readonly string[] Foreign =
    [
        "SCMP_ARCH_MIPS", "SCMP_ARCH_MIPS64", "SCMP_ARCH_MIPS64N32", "SCMP_ARCH_MIPSEL", "SCMP_ARCH_MIPSEL64",
        "SCMP_ARCH_MIPSEL64N32", "SCMP_ARCH_PPC", "SCMP_ARCH_PPC64", "SCMP_ARCH_PPC64LE", "SCMP_ARCH_S390",
        "SCMP_ARCH_S390X", "SCMP_ARCH_PARISC", "SCMP_ARCH_PARISC64", "SCMP_ARCH_RISCV64", "SCMP_ARCH_LOONGARCH64",
        "SCMP_ARCH_M68K", "SCMP_ARCH_SH", "SCMP_ARCH_SHEB",
    ];

    private static readonly Dictionary<string, (SyscallAbi Abi, Architecture Machine)> Known = new(StringComparer.Ordinal)
    {
        ["SCMP_ARCH_X86_64"] = (SyscallAbi.X64, Architecture.X64),
        ["SCMP_ARCH_X32"] = (SyscallAbi.X32, Architecture.X64),
        ["SCMP_ARCH_X86"] = (SyscallAbi.I386, Architecture.X64),
        ["SCMP_ARCH_AARCH64"] = (SyscallAbi.Arm64, Architecture.Arm64),
        ["SCMP_ARCH_ARM"] = (SyscallAbi.Arm, Architecture.Arm64),
    };

    /// <summary>Every word that a profile may name.</summary>
    public static IEnumerable<string> Words => Known.Keys.Concat(Foreign);

    public static SyscallAbi Native(Architecture architecture) => architecture switch
    {
        Architecture.X64 => SyscallAbi.X64,
        Architecture.Arm64 => SyscallAbi.Arm64,
        _ => throw new PlatformNotSupportedException($"seccomp filters for {architecture} are not known here"),
    };

    /// <summary>The ABI of a runtime-spec word; null for those of other machines.</summary>
    /// <returns>False where the word is not one of the specification's.</returns>
    public static bool TryParse(string word, Architecture architecture, out SyscallAbi? abi)
    {
        if (word == "SCMP_ARCH_NATIVE")
        {
            abi = Native(architecture);
            return true;
        }

        bool known = Known.TryGetValue(word, out (SyscallAbi Abi, Architecture Machine) own);
        abi = known && own.Machine == architecture ? own.Abi : null;
        return known || Array.IndexOf(Foreign, word) >= 0;
    }

    public static uint Audit(this SyscallAbi abi) => abi switch
    {
        SyscallAbi.X64 or SyscallAbi.X32 => AuditArchitecture.X64,
        SyscallAbi.I386 => AuditArchitecture.I386,
        SyscallAbi.Arm64 => AuditArchitecture.Arm64,
        _ => AuditArchitecture.Arm,
    };

    /// <summary>Whether arguments are 32 bits wide, so that only the lower word of each counts.</summary>
    /// <remarks>x32 too, as libseccomp has it: its registers may hold anything above the 32 bits of a pointer or int.</remarks>
    public static bool HasShortArguments(this SyscallAbi abi) => abi is SyscallAbi.X32 or SyscallAbi.I386 or SyscallAbi.Arm;
}
