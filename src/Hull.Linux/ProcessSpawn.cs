using System.Runtime.InteropServices;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace Hull.Linux;

/// <summary>A program to start as a child of this process.</summary>
public sealed record SpawnRequest
{
    /// <summary>Absolute path; <c>/proc/self/exe</c> is this very binary, even where it was replaced on disk.</summary>
    public required string Program { get; init; }

    /// <summary>The argument list, argv[0] included.</summary>
    public required IReadOnlyList<string> Arguments { get; init; }

    /// <summary>Lines <c>NAME=value</c>; the child gets these alone.</summary>
    public IReadOnlyList<string> Environment { get; init; } = [];

    /// <summary>Which descriptor the child finds under which number. Everything else is closed.</summary>
    public required IReadOnlyList<PassedDescriptor> Descriptors { get; init; }

    /// <summary>setsid(2): no controlling terminal, and the terminal's signals do not reach it.</summary>
    public bool NewSession { get; init; }

    /// <summary>The signal mask that the child starts with. All dispositions are put back to their defaults.</summary>
    public SignalSet Mask { get; init; }

    public string? WorkingDirectory { get; init; }
}

/// <summary>A descriptor of ours that a child gets.</summary>
/// <param name="Number">Under which number.</param>
public sealed record PassedDescriptor(SafeFileHandle File, int Number);

/// <summary>posix_spawn(3): fork and execve without running managed code in the child, so any process may call it, with
/// however many threads.</summary>
public static unsafe partial class ProcessSpawn
{
    /// <summary>Starts the program.</summary>
    /// <returns>The child's process id; the caller reaps it.</returns>
    /// <exception cref="SyscallException">The target is the program: ENOENT, EACCES, EAGAIN (a limit on processes).</exception>
    public static int Start(SpawnRequest request)
    {
        // posix_spawnattr_t is 336 bytes and posix_spawn_file_actions_t 80 in glibc on 64-bit machines; the rest is reserve.
        byte* attributes = stackalloc byte[512];
        byte* actions = stackalloc byte[256];
        Check(posix_spawnattr_init(attributes), "posix_spawnattr_init");
        Check(posix_spawn_file_actions_init(actions), "posix_spawn_file_actions_init");
        List<SafeFileHandle> duplicates = [];
        byte** argv = Strings(request.Arguments);
        byte** envp = Strings(request.Environment);
        try
        {
            byte* set = stackalloc byte[128];
            Signals.Fill(set, new SignalSet(~0UL));
            Check(posix_spawnattr_setsigdefault(attributes, set), "posix_spawnattr_setsigdefault");
            Signals.Fill(set, request.Mask);
            Check(posix_spawnattr_setsigmask(attributes, set), "posix_spawnattr_setsigmask");
            int flags = SetSignalMask | SetSignalDefault | (request.NewSession ? SetSession : 0);
            Check(posix_spawnattr_setflags(attributes, (short)flags), "posix_spawnattr_setflags");

            int first = 0;
            foreach ((SafeFileHandle _, int number) in request.Descriptors)
            {
                first = Math.Max(first, number + 1);
            }

            foreach ((SafeFileHandle file, int number) in request.Descriptors)
            {
                SafeFileHandle source = file;
                if (Files.Fd(file) < first)
                {
                    // An earlier dup2 could have overwritten it; a number above every target is safe.
                    source = Descriptors.DuplicateAbove(file, first);
                    duplicates.Add(source);
                }

                Check(posix_spawn_file_actions_adddup2(actions, Files.Fd(source), number), "posix_spawn_file_actions_adddup2");
            }

            Check(posix_spawn_file_actions_addclosefrom_np(actions, first), "posix_spawn_file_actions_addclosefrom_np");
            if (request.WorkingDirectory is not null)
            {
                Check(posix_spawn_file_actions_addchdir_np(actions, request.WorkingDirectory), "posix_spawn_file_actions_addchdir_np");
            }

            int pid;
            // SAFETY: every pointer is to a local or to unmanaged memory that is freed below, after the call.
            int error = posix_spawn(&pid, request.Program, actions, attributes, argv, envp);
            return error == 0 ? pid : throw new SyscallException("posix_spawn", request.Program, (Errno)error);
        }
        finally
        {
            NativeMemory.Free(argv);
            NativeMemory.Free(envp);
            duplicates.ForEach(static duplicate => duplicate.Dispose());
            _ = posix_spawn_file_actions_destroy(actions);
            _ = posix_spawnattr_destroy(attributes);
        }
    }

    /// <summary>A null-terminated array of UTF-8 strings in one block of unmanaged memory.</summary>
    private static byte** Strings(IReadOnlyList<string> strings)
    {
        nuint bytes = (nuint)((strings.Count + 1) * sizeof(byte*));
        for (int i = 0; i < strings.Count; i++)
        {
            bytes += (nuint)Encoding.UTF8.GetByteCount(strings[i]) + 1;
        }

        byte** block = (byte**)NativeMemory.AllocZeroed(bytes);
        byte* text = (byte*)(block + strings.Count + 1);
        byte* end = (byte*)block + bytes;
        for (int i = 0; i < strings.Count; i++)
        {
            block[i] = text;
            // SAFETY: the block was sized from the same strings; zeroed memory terminates each.
            text += Encoding.UTF8.GetBytes(strings[i], new Span<byte>(text, (int)(end - text))) + 1;
        }

        return block;
    }

    private static void Check(int error, string operation)
    {
        if (error != 0)
        {
            throw new SyscallException(operation, null, (Errno)error);
        }
    }

    private const int SetSignalDefault = 0x04;
    private const int SetSignalMask = 0x08;
    private const int SetSession = 0x80;

    [LibraryImport("libc")]
    private static partial int posix_spawnattr_init(byte* attributes);

    [LibraryImport("libc")]
    private static partial int posix_spawnattr_destroy(byte* attributes);

    [LibraryImport("libc")]
    private static partial int posix_spawnattr_setflags(byte* attributes, short flags);

    [LibraryImport("libc")]
    private static partial int posix_spawnattr_setsigmask(byte* attributes, byte* set);

    [LibraryImport("libc")]
    private static partial int posix_spawnattr_setsigdefault(byte* attributes, byte* set);

    [LibraryImport("libc")]
    private static partial int posix_spawn_file_actions_init(byte* actions);

    [LibraryImport("libc")]
    private static partial int posix_spawn_file_actions_destroy(byte* actions);

    [LibraryImport("libc")]
    private static partial int posix_spawn_file_actions_adddup2(byte* actions, int from, int to);

    [LibraryImport("libc")]
    private static partial int posix_spawn_file_actions_addclosefrom_np(byte* actions, int first);

    [LibraryImport("libc", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int posix_spawn_file_actions_addchdir_np(byte* actions, string path);

    [LibraryImport("libc", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int posix_spawn(int* pid, string program, byte* actions, byte* attributes, byte** argv, byte** envp);
}
