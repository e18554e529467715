using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Hull.Linux;

/// <summary>bpf(2): programs that the kernel runs on the device accesses of a cgroup.</summary>
public static unsafe partial class Bpf
{
    private const int ProgramLoad = 5;
    private const int ProgramAttach = 8;
    private const int ProgramDetach = 9;
    private const uint TypeCgroupDevice = 15;
    private const uint AttachCgroupDevice = 6;

    // Beside the programs of the cgroups above (all must agree), and of a second one here.
    private const uint AllowMultiple = 2;

    private const int LogSize = 64 * 1024;

    /// <summary>Loads a program of type BPF_PROG_TYPE_CGROUP_DEVICE (Linux 4.15).</summary>
    /// <exception cref="SyscallException">ENOSYS, EINVAL: not in this kernel; EPERM: CAP_BPF and CAP_NET_ADMIN are needed;
    /// EACCES, EINVAL: the verifier refused it, whose last words are in the message.</exception>
    public static SafeFileHandle LoadDeviceProgram(ReadOnlySpan<BpfInstruction> program)
    {
        int fd = Load(program, null);
        if (fd >= 0)
        {
            return new SafeFileHandle(fd, ownsHandle: true);
        }

        Errno errno = SyscallException.LastErrno;
        string? detail = null;
        if (errno is Errno.EACCES or Errno.EINVAL)
        {
            // Once more with the verifier's log, which costs too much for every start.
            byte[] log = new byte[LogSize];
            fixed (byte* p = log)
            {
                fd = Load(program, p);
            }

            if (fd >= 0)
            {
                return new SafeFileHandle(fd, ownsHandle: true);
            }

            int length = log.AsSpan().IndexOf((byte)0);
            string text = System.Text.Encoding.UTF8.GetString(log, 0, Math.Max(length, 0)).Trim();
            detail = text.Length > 0 ? text[Math.Max(0, text.Length - 200)..].ReplaceLineEndings(" ") : null;
        }

        throw new SyscallException("bpf", "BPF_PROG_LOAD", errno, detail);
    }

    /// <summary>Attaches a device program to a cgroup v2 directory, beside those of its ancestors. It goes when the cgroup goes.</summary>
    /// <exception cref="SyscallException">EPERM: an ancestor has a program that allows none beside it; EINVAL: no
    /// CONFIG_CGROUP_BPF.</exception>
    public static void AttachDeviceProgram(SafeFileHandle cgroup, SafeFileHandle program, string? target = null)
    {
        AttachAttributes attributes = new()
        {
            Target = (uint)Files.Fd(cgroup),
            Program = (uint)Files.Fd(program),
            Type = AttachCgroupDevice,
            Flags = AllowMultiple,
        };
        // SAFETY: the kernel reads sizeof(AttachAttributes) bytes of a local.
        if (bpf(SystemCallNumbers.bpf, ProgramAttach, &attributes, (uint)sizeof(AttachAttributes)) < 0)
        {
            throw SyscallException.Last("bpf", target, "BPF_PROG_ATTACH BPF_CGROUP_DEVICE");
        }
    }

    /// <summary>Takes a program off a cgroup again. One that is not attached (ENOENT) is no error.</summary>
    public static void DetachDeviceProgram(SafeFileHandle cgroup, SafeFileHandle program, string? target = null)
    {
        AttachAttributes attributes = new()
        {
            Target = (uint)Files.Fd(cgroup),
            Program = (uint)Files.Fd(program),
            Type = AttachCgroupDevice,
        };
        // SAFETY: as above.
        if (bpf(SystemCallNumbers.bpf, ProgramDetach, &attributes, (uint)sizeof(AttachAttributes)) < 0
            && SyscallException.LastErrno != Errno.ENOENT)
        {
            throw SyscallException.Last("bpf", target, "BPF_PROG_DETACH BPF_CGROUP_DEVICE");
        }
    }

    private static int Load(ReadOnlySpan<BpfInstruction> program, byte* log)
    {
        // SAFETY: the span and the literal stay put for the call; the kernel reads insn_cnt instructions, a string that ends with
        // 0, and writes at most LogSize bytes to the log.
        fixed (BpfInstruction* instructions = program)
        fixed (byte* license = "Apache-2.0\0"u8)
        {
            LoadAttributes attributes = new()
            {
                Type = TypeCgroupDevice,
                Count = (uint)program.Length,
                Instructions = (ulong)instructions,
                License = (ulong)license,
                LogLevel = log is null ? 0u : 1u,
                LogSize = log is null ? 0u : LogSize,
                Log = (ulong)log,
            };
            return (int)bpf(SystemCallNumbers.bpf, ProgramLoad, &attributes, (uint)sizeof(LoadAttributes));
        }
    }

    /// <summary>The start of union bpf_attr for BPF_PROG_LOAD; the kernel takes what it is not given as 0.</summary>
    [StructLayout(LayoutKind.Sequential)]
    internal struct LoadAttributes
    {
        public uint Type;
        public uint Count;
        public ulong Instructions;
        public ulong License;
        public uint LogLevel;
        public uint LogSize;
        public ulong Log;
        public uint KernelVersion;
        public uint Flags;
    }

    [StructLayout(LayoutKind.Sequential)]
    internal struct AttachAttributes
    {
        public uint Target;
        public uint Program;
        public uint Type;
        public uint Flags;
    }

    [LibraryImport("libc", EntryPoint = "syscall", SetLastError = true)]
    private static partial nint bpf(nint number, nint command, void* attributes, nuint size);
}
