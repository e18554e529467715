using System.Runtime.InteropServices;

namespace Hull.Linux;

/// <summary>The calling thread runs on other processors until this is disposed; a child cloned meanwhile starts there.</summary>
/// <remarks>sched_setaffinity(2). Belongs to the thread that made it.</remarks>
public sealed unsafe partial class AffinityScope : IDisposable
{
    /// <summary>Room for 8192 processors, the most that NR_CPUS allows.</summary>
    private const int LargestMask = 1024;

    private readonly byte[] _before = new byte[LargestMask];

    /// <param name="mask">A bit a processor, from the lowest; a multiple of eight bytes.</param>
    /// <param name="target">Names the processors in an error.</param>
    /// <exception cref="SyscallException">EINVAL: none of them is there, or allowed by our cpuset.</exception>
    public AffinityScope(ReadOnlySpan<byte> mask, string target)
    {
        // SAFETY: the array is pinned for the call and its length bounds the kernel's write.
        fixed (byte* p = _before)
        {
            if (sched_getaffinity(0, LargestMask, p) < 0)
            {
                throw SyscallException.Last("sched_getaffinity");
            }
        }

        Set(mask, target);
    }

    public void Dispose() => Set(_before, "processors as before");

    private static void Set(ReadOnlySpan<byte> mask, string target)
    {
        // SAFETY: the span is pinned for the call and its length bounds the kernel's read.
        fixed (byte* p = mask)
        {
            if (sched_setaffinity(0, (nuint)mask.Length, p) != 0)
            {
                throw SyscallException.Last("sched_setaffinity", target, hint: "is one of these processors on this host, and in our own cpuset?");
            }
        }
    }

    [LibraryImport("libc", SetLastError = true)]
    private static partial int sched_getaffinity(int pid, nuint size, byte* mask);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int sched_setaffinity(int pid, nuint size, byte* mask);
}
