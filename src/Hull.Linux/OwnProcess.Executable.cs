using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Hull.Linux;

/// <summary>The file that this process runs from: /proc/self/exe.</summary>
public static unsafe partial class OwnProcess
{
    /// <summary>Makes this process run from <paramref name="binary"/>: the file that it runs from now, opened through another
    /// mount. /proc/PID/exe and every mapping lead to that mount afterwards. It takes some thirty system calls, where an execve and a
    /// new start of the runtime take two milliseconds.</summary>
    /// <param name="binary">Opened for reading.</param>
    /// <returns>Whether it did. If not, everything works as before.</returns>
    /// <remarks>
    /// prctl(2) PR_SET_MM wants that no mapping of the old file is left. So each segment of the program is mapped once more
    /// from <paramref name="binary"/>, at another place; the pages that this process has written are copied; and mremap(2) puts the
    /// copy in the segment's place in one step, the code that is running included: its next instruction comes from the same
    /// page of the page cache. For processes with a single managed thread: what another one writes to the program's data
    /// between copy and move would be lost.
    /// </remarks>
    public static bool TryExchangeExecutable(SafeFileHandle binary)
    {
        ReadOnlySpan<ProgramHeader> loaded = new((void*)getauxval(HeadersEntry), (int)getauxval(HeaderCountEntry));
        using SafeFileHandle? pageMap = Files.TryOpenAt(null, "/proc/self/pagemap", OpenFlags.ReadOnly, 0, out _);
        if (pageMap is null || loaded.IsEmpty)
        {
            return false;
        }

        // A copy: the headers lie in a segment that is exchanged.
        Span<ProgramHeader> headers = stackalloc ProgramHeader[loaded.Length];
        loaded.CopyTo(headers);
        nint page = Environment.SystemPageSize;
        nint bias = Bias(headers);
        int descriptor = (int)binary.DangerousGetHandle();
        foreach (ref readonly ProgramHeader header in headers)
        {
            if (header.Type == LoadedSegment && header.FileSize > 0
                && !TryExchangeSegment(header, bias, page, descriptor, (int)pageMap.DangerousGetHandle()))
            {
                return false;
            }
        }

        foreach (ref readonly ProgramHeader header in headers)
        {
            if (header.Type == ConstantsSegment)
            {
                // What the loader made read-only after relocation stays so.
                nint start = (header.Address + bias) & -page;
                nint end = (header.Address + bias + header.FileSize) & -page;
                RawSyscall.Invoke(SystemCallNumbers.mprotect, start, end - start, Read);
            }
        }

        return TrySetExecutable(descriptor);
    }

    /// <summary>How far from its own addresses the program was loaded; 0 where they are fixed.</summary>
    private static nint Bias(ReadOnlySpan<ProgramHeader> headers)
    {
        foreach (ref readonly ProgramHeader header in headers)
        {
            if (header.Type == HeadersSegment)
            {
                return (nint)getauxval(HeadersEntry) - header.Address;
            }
        }

        return 0;
    }

    private static bool TryExchangeSegment(in ProgramHeader header, nint bias, nint page, int binary, int pageMap)
    {
        nint start = (header.Address + bias) & -page;
        nint length = ((header.Address + bias + header.FileSize + page - 1) & -page) - start;
        nint protection = ((header.Flags & 4) != 0 ? Read : 0) | ((header.Flags & 2) != 0 ? Write : 0) | ((header.Flags & 1) != 0 ? Execute : 0);
        int mprotect = SystemCallNumbers.mprotect;
        int mremap = SystemCallNumbers.mremap;
        nint copy = RawSyscall.Invoke(SystemCallNumbers.mmap, 0, length, Read | Write, PrivateMapping, binary, header.Offset & -page);
        if (copy is < 0 and > -4096)
        {
            return false;
        }

        // SAFETY: both ranges are mapped and `length` bytes long. From the copy to mremap nothing but system calls: no write to the
        // program's own data.
        if (!TryCopyWritten(start, copy, length, page, pageMap)
            || RawSyscall.Invoke(mprotect, copy, length, protection) != 0
            || RawSyscall.Invoke(mremap, copy, length, length, MoveToFixedAddress, start) != start)
        {
            RawSyscall.Invoke(SystemCallNumbers.munmap, copy, length);
            return false;
        }

        return true;
    }

    /// <summary>Copies the pages that are this process's own; the others are the file's in both places.</summary>
    private static bool TryCopyWritten(nint from, nint to, nint length, nint page, int pageMap)
    {
        ulong* marks = stackalloc ulong[PagesAtOnce];
        int pread = SystemCallNumbers.pread64;
        for (nint done = 0; done < length; done += PagesAtOnce * page)
        {
            nint count = Math.Min(PagesAtOnce, (length - done) / page);
            nint bytes = count * sizeof(ulong);
            if (RawSyscall.Invoke(pread, pageMap, (nint)marks, bytes, (from + done) / page * sizeof(ulong)) != bytes)
            {
                return false;
            }

            for (nint i = 0; i < count; i++)
            {
                if ((marks[i] & (PagePresent | PageSwapped)) != 0 && (marks[i] & PageOfFile) == 0)
                {
                    Buffer.MemoryCopy((void*)(from + done + (i * page)), (void*)(to + done + (i * page)), page, page);
                }
            }
        }

        return true;
    }

    /// <summary>prctl(2) PR_SET_MM_MAP with the bounds that the process has and a new executable. PR_SET_MM_EXE_FILE does the
    /// same, but wants CAP_SYS_RESOURCE; this one CAP_SYS_ADMIN or CAP_CHECKPOINT_RESTORE.</summary>
    private static bool TrySetExecutable(int binary)
    {
        ProcessStat stat = ProcessStat.ReadOwn();
        MemoryMap map = new()
        {
            StartCode = stat[26],
            EndCode = stat[27],
            StartStack = stat[28],
            StartData = stat[45],
            EndData = stat[46],
            StartBreak = stat[47],
            Break = (ulong)RawSyscall.Invoke(SystemCallNumbers.brk),
            ArgumentsStart = stat[48],
            ArgumentsEnd = stat[49],
            EnvironmentStart = stat[50],
            EnvironmentEnd = stat[51],
            Executable = (uint)binary,
        };
        // SAFETY: the kernel reads the structure during the call.
        return prctl(SetMemoryMap, SetAll, (nuint)(&map), (nuint)sizeof(MemoryMap), 0) == 0;
    }

    /// <summary>AT_PHDR and AT_PHNUM (getauxval(3)).</summary>
    private const nuint HeadersEntry = 3;
    private const nuint HeaderCountEntry = 5;

    /// <summary>PT_LOAD, PT_PHDR and PT_GNU_RELRO (elf(5)).</summary>
    private const uint LoadedSegment = 1;
    private const uint HeadersSegment = 6;
    private const uint ConstantsSegment = 0x6474E552;

    private const nint Read = 1;
    private const nint Write = 2;
    private const nint Execute = 4;
    private const nint PrivateMapping = 2;
    private const nint MoveToFixedAddress = 1 | 2;
    private const int PagesAtOnce = 512;

    /// <summary>Bits of /proc/PID/pagemap (Documentation/admin-guide/mm/pagemap.rst).</summary>
    private const ulong PagePresent = 1UL << 63;
    private const ulong PageSwapped = 1UL << 62;
    private const ulong PageOfFile = 1UL << 61;

    private const int SetMemoryMap = 35;
    private const nuint SetAll = 14;

    /// <summary>Elf64_Phdr (elf(5)).</summary>
    [StructLayout(LayoutKind.Sequential)]
    private readonly struct ProgramHeader
    {
        public readonly uint Type;
        public readonly uint Flags;
        public readonly nint Offset;
        public readonly nint Address;
        public readonly nint PhysicalAddress;
        public readonly nint FileSize;
        public readonly nint MemorySize;
        public readonly nint Alignment;
    }

    /// <summary>struct prctl_mm_map (include/uapi/linux/prctl.h). Without an auxiliary vector the kernel keeps the old one.</summary>
    [StructLayout(LayoutKind.Sequential)]
    internal struct MemoryMap
    {
        public ulong StartCode;
        public ulong EndCode;
        public ulong StartData;
        public ulong EndData;
        public ulong StartBreak;
        public ulong Break;
        public ulong StartStack;
        public ulong ArgumentsStart;
        public ulong ArgumentsEnd;
        public ulong EnvironmentStart;
        public ulong EnvironmentEnd;
        public ulong Auxiliary;
        public uint AuxiliarySize;
        public uint Executable;
    }

    [LibraryImport("libc")]
    private static partial nuint getauxval(nuint type);
}
