using System.Runtime.InteropServices;
using Hull.Linux;
using Hull.Oci.RuntimeSpec;

namespace Hull.Runtime;

/// <summary>The profile of a container for which none is named: docker's, from default-profile.json beside this file.</summary>
/// <remarks>
/// It differs from docker's in one place: <c>socket</c> with a family above 40 is allowed by exact values, not by "above".
/// The kernel truncates the family to 32 bits and the filter compares 64, so "above" lets AF_ALG and AF_VSOCK through
/// for a caller that sets an upper bit.
/// scripts/generate-seccomp-default turns the JSON into C#, so that nothing is parsed at run time.
/// </remarks>
public static partial class DefaultProfile
{
    /// <summary>The oldest kernel that a rule's <c>minKernel</c> names; the compiled programs are for this and newer.</summary>
    private static readonly Version CompiledFor = new(4, 8);

    /// <summary>The capabilities that some rule asks about; the others do not change the profile.</summary>
    private static readonly CapabilitySet Mentioned = CapabilitySet.Of(
    [
        "DAC_READ_SEARCH", "SYS_ADMIN", "SYS_BOOT", "SYS_CHROOT", "SYS_MODULE", "SYS_PACCT", "SYS_PTRACE", "SYS_RAWIO",
        "SYS_TIME", "SYS_TTY_CONFIG", "SYS_NICE", "SYSLOG", "BPF", "PERFMON",
    ]);

    /// <summary>The profile for a container with the bounding set given.</summary>
    public static Seccomp For(CapabilitySet capabilities, Architecture architecture, Version kernel) =>
        Document().Resolve(capabilities, architecture, kernel);

    /// <summary>The compiled program with its flags, for <see cref="ContainerRequest.Filter"/>.</summary>
    public static SeccompFilter Filter(CapabilitySet capabilities, Architecture architecture, Version kernel) =>
        new(Program(capabilities, architecture, kernel).ToArray(), (uint)SeccompFlags.SpeculationAllow);

    /// <summary>The compiled program of <see cref="For"/>: 8 bytes an instruction, as seccomp(2) takes them.</summary>
    /// <remarks>For the default capabilities, with or without such as no rule mentions, the program is constant data of
    /// the binary; others are compiled here.</remarks>
    public static ReadOnlySpan<byte> Program(CapabilitySet capabilities, Architecture architecture, Version kernel)
    {
        if ((capabilities & Mentioned) == (CapabilityChoice.Defaults & Mentioned) && kernel >= CompiledFor)
        {
            switch (architecture)
            {
                case Architecture.X64:
                    return MemoryMarshal.AsBytes(X64Program);
                case Architecture.Arm64:
                    return MemoryMarshal.AsBytes(Arm64Program);
            }
        }

        return MemoryMarshal.AsBytes<SockFilter>(SeccompCompiler.Compile(For(capabilities, architecture, kernel), architecture));
    }
}
