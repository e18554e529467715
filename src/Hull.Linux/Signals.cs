using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Hull.Linux;

/// <summary>Signal numbers, the same on x86-64 and arm64 (signal(7)).</summary>
public enum Signal
{
    SIGHUP = 1,
    SIGINT = 2,
    SIGQUIT = 3,
    SIGILL = 4,
    SIGTRAP = 5,
    SIGABRT = 6,
    SIGBUS = 7,
    SIGFPE = 8,
    SIGKILL = 9,
    SIGUSR1 = 10,
    SIGSEGV = 11,
    SIGUSR2 = 12,
    SIGPIPE = 13,
    SIGALRM = 14,
    SIGTERM = 15,
    SIGSTKFLT = 16,
    SIGCHLD = 17,
    SIGCONT = 18,
    SIGSTOP = 19,
    SIGTSTP = 20,
    SIGTTIN = 21,
    SIGTTOU = 22,
    SIGURG = 23,
    SIGXCPU = 24,
    SIGXFSZ = 25,
    SIGVTALRM = 26,
    SIGPROF = 27,
    SIGWINCH = 28,
    SIGIO = 29,
    SIGPWR = 30,
    SIGSYS = 31,
}

/// <summary>A set of signals: bit n-1 is signal n, as the kernel lays out its 64-bit sigset_t.</summary>
public readonly record struct SignalSet(ulong Bits)
{
    public static SignalSet Of(params ReadOnlySpan<Signal> signals)
    {
        ulong bits = 0;
        foreach (Signal signal in signals)
        {
            bits |= 1UL << ((int)signal - 1);
        }

        return new SignalSet(bits);
    }

    public bool Contains(Signal signal) => (Bits & (1UL << ((int)signal - 1))) != 0;
}

/// <summary>The calling thread's signal mask, and signals as a descriptor.</summary>
/// <remarks>A process-directed signal goes to any thread that does not block it. The .NET runtime has threads of its own
/// (finalizer), so a signalfd(2) sees every signal only where the mask was set before the runtime started: by the parent,
/// see <see cref="ProcessSpawn"/>.</remarks>
public static unsafe partial class Signals
{
    /// <summary>glibc's sigset_t is 1024 bits; the kernel uses the first 64.</summary>
    private const int SetBytes = 128;

    /// <summary>pthread_sigmask(3) SIG_BLOCK.</summary>
    /// <returns>The mask as it was.</returns>
    public static SignalSet Block(SignalSet set) => Change(0, set);

    /// <summary>pthread_sigmask(3) SIG_SETMASK.</summary>
    /// <returns>The mask as it was.</returns>
    public static SignalSet SetMask(SignalSet set) => Change(2, set);

    /// <summary>Ignores a signal in the whole process, signal(2) with SIG_IGN.</summary>
    public static void Ignore(Signal ignored)
    {
        if (signal((int)ignored, 1) == -1)
        {
            throw SyscallException.Last("signal", ignored.ToString(), "SIG_IGN");
        }
    }

    /// <summary>Gives ignored signals of a set their default action back. The kernel throws an ignored signal away even where
    /// it is blocked, and a shell without job control starts commands behind &amp; with SIGINT and SIGQUIT ignored.</summary>
    public static void StopIgnoring(SignalSet set)
    {
        for (int number = 1; number < 32; number++)
        {
            // SIGKILL and SIGSTOP have no disposition; a handler of the runtime's own is put back as it was.
            if (number is 9 or 19 || !set.Contains((Signal)number))
            {
                continue;
            }

            nint before = signal(number, 0);
            if (before > 1)
            {
                _ = signal(number, before);
            }
        }
    }

    /// <summary>signalfd(2), non-blocking: the set's signals, which the caller blocks, become readable events.</summary>
    public static SafeFileHandle OpenDescriptor(SignalSet set)
    {
        byte* native = stackalloc byte[SetBytes];
        Fill(native, set);
        // SAFETY: glibc reads the first 8 bytes of a local sigset_t.
        int fd = signalfd(-1, native, (int)OpenFlags.CloseOnExec | (int)OpenFlags.NonBlocking);
        return fd >= 0 ? new SafeFileHandle(fd, ownsHandle: true) : throw SyscallException.Last("signalfd");
    }

    /// <summary>The next signal of a <see cref="OpenDescriptor"/>; null where none is pending.</summary>
    public static Signal? TryRead(SafeFileHandle descriptor)
    {
        // struct signalfd_siginfo is 128 bytes and starts with ssi_signo.
        Span<byte> info = stackalloc byte[128];
        int n = Descriptors.TryRead(descriptor, info, out Errno errno);
        return n == info.Length ? (Signal)MemoryMarshal.Read<int>(info)
            : errno == Errno.EAGAIN ? null
            : throw new SyscallException("read", "signalfd", errno);
    }

    private static SignalSet Change(int how, SignalSet set)
    {
        byte* wanted = stackalloc byte[SetBytes];
        byte* before = stackalloc byte[SetBytes];
        Fill(wanted, set);
        new Span<byte>(before, SetBytes).Clear();
        // SAFETY: both sets are local buffers of sigset_t's size.
        int error = pthread_sigmask(how, wanted, before);
        return error == 0 ? new SignalSet(*(ulong*)before) : throw new SyscallException("pthread_sigmask", null, (Errno)error);
    }

    internal static void Fill(byte* native, SignalSet set)
    {
        // SAFETY: every caller passes a buffer of SetBytes.
        new Span<byte>(native, SetBytes).Clear();
        *(ulong*)native = set.Bits;
    }

    [LibraryImport("libc")]
    private static partial int pthread_sigmask(int how, byte* wanted, byte* before);

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint signal(int number, nint handler);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int signalfd(int fd, byte* set, int flags);
}
