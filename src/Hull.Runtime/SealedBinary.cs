using System.Runtime.InteropServices;
using System.Text;
using Hull.Linux;
using Microsoft.Win32.SafeHandles;

namespace Hull.Runtime;

/// <summary>This program's own binary, opened in a way that no process can write to it.</summary>
/// <remarks>
/// Until execve a child of ours shows our binary as /proc/PID/exe, and a payload such as "#!/proc/self/exe" even runs it: a
/// process of the container that keeps it open could later overwrite it on the host (CVE-2019-5736). So whoever clones runs
/// from a detached read-only bind mount of the binary: opening /proc/PID/exe for writing fails with EROFS, and the mount is
/// in no tree where somebody could make it writable. Two system calls, no copy. Kernels without mount_setattr(2) (before
/// 5.12) get a sealed copy in memory instead.
/// </remarks>
public static unsafe class SealedBinary
{
    private const string Self = "/proc/self/exe";
    private const ulong ReadOnlyFlag = 1;

    /// <summary>Whether this process runs from a binary that cannot be written to.</summary>
    public static bool IsSealed()
    {
        byte* buffer = stackalloc byte[256];
        // SAFETY: struct statfs of 64-bit Linux is 120 bytes; f_flags is its eleventh word.
        fixed (byte* path = "/proc/self/exe\0"u8)
        {
            nint result = RawSyscall.Invoke(SystemCallNumbers.Native(137, 43), (nint)path, (nint)buffer);
            const int FlagsOffset = 80;
            const long TmpfsMagic = 0x01021994;
            return result == 0 && ((*(ulong*)(buffer + FlagsOffset) & ReadOnlyFlag) != 0 || (*(long*)buffer == TmpfsMagic && IsMemoryFile()));
        }
    }

    /// <summary>A descriptor to execute: see the type's remarks.</summary>
    public static SafeFileHandle Open()
    {
        try
        {
            SafeFileHandle mount = Mounts.Clone(null, Self, recursive: false);
            Mounts.SetAttributes(mount, MountAttributes.ReadOnly, 0, MountFlags.None, recursive: false, target: Self);
            return mount;
        }
        catch (SyscallException error) when (error.Errno is Errno.ENOSYS or Errno.EPERM or Errno.EINVAL)
        {
            return Copy();
        }
    }

    /// <summary>Makes this process run from the sealed binary: in place where the kernel allows it
    /// (<see cref="OwnProcess.TryExchangeExecutable"/>), by execve with the same arguments and environment where it does not.</summary>
    /// <param name="commandLine">argv as the kernel has it, argv[0] included.</param>
    /// <remarks>For processes with a single managed thread.</remarks>
    public static void SealProcess(IReadOnlyList<string> commandLine)
    {
        if (IsSealed())
        {
            return;
        }

        using SafeFileHandle binary = Open();
        // open_tree(2) gives an O_PATH descriptor; mappings need one for reading.
        using (SafeFileHandle readable = Files.Open($"/proc/self/fd/{binary.DangerousGetHandle()}", OpenFlags.ReadOnly))
        {
            if (OwnProcess.TryExchangeExecutable(readable))
            {
                return;
            }
        }

        byte** argv = Texts(commandLine);
        byte* empty = stackalloc byte[1];
        *empty = 0;
        nint result = RawSyscall.Invoke(SystemCallNumbers.Native(322, 281), binary.DangerousGetHandle(), (nint)empty, (nint)argv, (nint)environ(), 0x1000);
        throw new SyscallException("execveat", Self, (Errno)(-result));
    }

    /// <summary>memfd_create(2) with all seals.</summary>
    private static SafeFileHandle Copy()
    {
        SafeFileHandle memory = MemoryFile.Create("hull", sealable: true);
        using SafeFileHandle self = Files.Open(Self, OpenFlags.ReadOnly);
        byte[] buffer = new byte[1 << 20];
        for (int n = Files.Read(self, buffer, Self); n > 0; n = Files.Read(self, buffer, Self))
        {
            Files.Write(memory, buffer.AsSpan(0, n), "memfd");
        }

        const int AddSeals = 1033;
        const int AllSeals = 0x1 | 0x2 | 0x4 | 0x8;
        nint result = RawSyscall.Invoke(SystemCallNumbers.fcntl, memory.DangerousGetHandle(), AddSeals, AllSeals);
        return result == 0 ? memory : throw new SyscallException("fcntl", "memfd", (Errno)(-result), "F_ADD_SEALS");
    }

    private static bool IsMemoryFile() =>
        Files.TryReadLink(null, Self, out _)?.StartsWith("/memfd:hull", StringComparison.Ordinal) == true;

    private static byte** Texts(IReadOnlyList<string> texts)
    {
        // Not freed: execve takes all memory along.
        byte** array = (byte**)NativeMemory.AllocZeroed((nuint)((texts.Count + 1) * sizeof(byte*)));
        for (int i = 0; i < texts.Count; i++)
        {
            int length = Encoding.UTF8.GetByteCount(texts[i]);
            array[i] = (byte*)NativeMemory.AllocZeroed((nuint)length + 1);
            Encoding.UTF8.GetBytes(texts[i], new Span<byte>(array[i], length));
        }

        return array;
    }

    /// <summary>The environment as the C library keeps it; .NET's own copy would be decoded and encoded again.</summary>
    private static byte** environ()
    {
        nint handle = NativeLibrary.GetExport(NativeLibrary.GetMainProgramHandle(), "environ");
        return *(byte***)handle;
    }
}
