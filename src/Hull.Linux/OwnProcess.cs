using System.Runtime.InteropServices;

namespace Hull.Linux;

/// <summary>This process as the kernel sees it: its name, its user, its orphans, its spare memory.</summary>
public static unsafe partial class OwnProcess
{
    /// <summary>prctl(2) PR_SET_CHILD_SUBREAPER: orphaned descendants become children of this process.</summary>
    public static void BecomeSubreaper()
    {
        if (prctl(SetChildSubreaper, 1, 0, 0, 0) != 0)
        {
            throw SyscallException.Last("prctl", null, "PR_SET_CHILD_SUBREAPER");
        }
    }

    /// <summary>prctl(2) PR_SET_NAME: the first 15 bytes are what ps(1) and top(1) show.</summary>
    public static void SetName(ReadOnlySpan<byte> nameWithZero)
    {
        // SAFETY: the kernel reads at most 16 bytes up to the zero that the caller passes.
        fixed (byte* p = nameWithZero)
        {
            if (prctl(SetThreadName, (nuint)p, 0, 0, 0) != 0)
            {
                throw SyscallException.Last("prctl", null, "PR_SET_NAME");
            }
        }
    }

    /// <summary>malloc_trim(3): gives the C heap's free pages back.</summary>
    public static void TrimMalloc() => _ = malloc_trim(0);

    /// <summary>geteuid(2).</summary>
    public static uint EffectiveUserId => geteuid();

    private const int SetThreadName = 15;
    private const int SetChildSubreaper = 36;

    [LibraryImport("libc", SetLastError = true)]
    private static partial int prctl(int operation, nuint a, nuint b, nuint c, nuint d);

    [LibraryImport("libc")]
    private static partial uint geteuid();

    [LibraryImport("libc")]
    private static partial int malloc_trim(nuint keep);
}
