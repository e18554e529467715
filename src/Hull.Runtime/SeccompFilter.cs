using System.Runtime.InteropServices;
using Hull.Linux;
using SeccompProfile = Hull.Oci.RuntimeSpec.Seccomp;

namespace Hull.Runtime;

/// <summary>A compiled seccomp program: classic BPF instructions, 8 bytes each, and the flags of seccomp(2).</summary>
public sealed record SeccompFilter(byte[] Program, uint Flags)
{
    /// <summary>Who answers the system calls that the profile hands over (SCMP_ACT_NOTIFY); null where it hands none over.</summary>
    public SeccompListener? Listener { get; init; }

    /// <summary>Compiles a profile of a spec.</summary>
    /// <exception cref="Oci.SpecException">The profile cannot be compiled, or hands calls over and names no listener.</exception>
    public static SeccompFilter Compile(SeccompProfile profile, Architecture architecture)
    {
        SeccompListener? listener = SeccompListener.Of(profile);
        SeccompFlags flags = SeccompCompiler.Flags(profile);
        if (listener is not null)
        {
            // TSYNC beside it is refused by the kernel, which has one result for both; the child stage has one thread.
            flags = (flags & ~SeccompFlags.ThreadSync) | SeccompFlags.NewListener;
        }

        return new(MemoryMarshal.AsBytes<SockFilter>(SeccompCompiler.Compile(profile, architecture)).ToArray(), (uint)flags) { Listener = listener };
    }
}
