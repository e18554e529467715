using System.Runtime.InteropServices;
using Hull.Linux;
using SeccompProfile = Hull.Oci.RuntimeSpec.Seccomp;

namespace Hull.Runtime;

/// <summary>A compiled seccomp program: classic BPF instructions, 8 bytes each, and the flags of seccomp(2).</summary>
public sealed record SeccompFilter(byte[] Program, uint Flags)
{
    /// <summary>Compiles a profile of a spec.</summary>
    public static SeccompFilter Compile(SeccompProfile profile, Architecture architecture) =>
        new(MemoryMarshal.AsBytes<SockFilter>(SeccompCompiler.Compile(profile, architecture)).ToArray(), (uint)SeccompCompiler.Flags(profile));
}
