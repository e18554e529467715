using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Hull.Linux;

/// <summary>System calls for the child stage: no allocation, no lock, no GC transition, no marshalling.</summary>
/// <remarks>Bound at link time in the published binary (DirectPInvoke), so that no lazy dlsym(3) happens in a child that
/// has one thread of the parent's many. Elsewhere use the wrappers.</remarks>
public static unsafe partial class RawSyscall
{
    /// <summary>The result, or minus the errno.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static nint Invoke(nint number, nint a0 = 0, nint a1 = 0, nint a2 = 0, nint a3 = 0, nint a4 = 0, nint a5 = 0)
    {
        nint result = syscall(number, a0, a1, a2, a3, a4, a5);
        return result == -1 ? -*__errno_location() : result;
    }

    [LibraryImport("libc")]
    [SuppressGCTransition]
    private static partial nint syscall(nint number, nint a0, nint a1, nint a2, nint a3, nint a4, nint a5);

    [LibraryImport("libc")]
    [SuppressGCTransition]
    private static partial int* __errno_location();
}
