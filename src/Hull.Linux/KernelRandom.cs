using System.Runtime.InteropServices;

namespace Hull.Linux;

/// <summary>getrandom(2): the kernel's random numbers, without a library.</summary>
/// <remarks>.NET's RandomNumberGenerator loads and starts OpenSSL for them: some 60 system calls and several milliseconds of
/// every <c>hull run</c>.</remarks>
public static unsafe partial class KernelRandom
{
    /// <summary>Fills all of <paramref name="bytes"/>; waits only where the machine has just booted.</summary>
    public static void Fill(Span<byte> bytes)
    {
        while (bytes.Length > 0)
        {
            nint n;
            // SAFETY: the span is pinned for the call and its length bounds the kernel's write.
            fixed (byte* p = bytes)
            {
                n = getrandom(p, (nuint)bytes.Length, 0);
            }

            if (n >= 0)
            {
                bytes = bytes[(int)n..];
            }
            else if (SyscallException.LastErrno != Errno.EINTR)
            {
                throw SyscallException.Last("getrandom");
            }
        }
    }

    /// <summary>The id of a new object: 64 lower-case hexadecimal digits.</summary>
    /// <remarks>Never all decimal digits in its short form of 12: as a host name that would read as a number (docker does the same).</remarks>
    public static string ObjectId()
    {
        Span<byte> bytes = stackalloc byte[32];
        string hex;
        do
        {
            Fill(bytes);
            hex = Convert.ToHexStringLower(bytes);
        }
        while (hex.AsSpan(0, 12).IndexOfAnyInRange('a', 'f') < 0);
        return hex;
    }

    /// <summary>A number from 0 up to but not including <paramref name="bound"/>, each as likely.</summary>
    public static int Below(int bound)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(bound);
        // Numbers above the last whole multiple of the bound would favour the small remainders.
        uint limit = uint.MaxValue - (uint.MaxValue % (uint)bound);
        Span<byte> bytes = stackalloc byte[4];
        uint value;
        do
        {
            Fill(bytes);
            value = MemoryMarshal.Read<uint>(bytes);
        }
        while (value >= limit);
        return (int)(value % (uint)bound);
    }

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint getrandom(byte* buffer, nuint length, uint flags);
}
