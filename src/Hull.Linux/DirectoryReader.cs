using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Hull.Linux;

/// <summary>getdents64(2) over a buffer of the caller's: the entries of a directory but <c>.</c> and <c>..</c>, in the file
/// system's order, nothing allocated.</summary>
/// <param name="directory">Open for reading; a listing starts where the descriptor stands.</param>
/// <param name="buffer">At least 280 bytes, room for the longest record; more saves calls.</param>
public unsafe ref partial struct DirectoryReader(SafeFileHandle directory, Span<byte> buffer, string? target = null)
{
    private readonly Span<byte> _buffer = buffer;
    private ReadOnlySpan<byte> _records;

    /// <summary>The name of the entry; overwritten by a later <see cref="MoveNext"/>.</summary>
    public ReadOnlySpan<byte> Name { get; private set; }

    /// <summary>0 where the file system does not tell.</summary>
    public FileType Type { get; private set; }

    /// <exception cref="SyscallException">The directory cannot be read.</exception>
    public bool MoveNext()
    {
        do
        {
            if (_records.IsEmpty && !Fill())
            {
                return false;
            }

            // struct linux_dirent64: inode (8), offset (8), record length (2), type (1), name and NUL.
            int length = BinaryPrimitives.ReadUInt16LittleEndian(_records[16..]);
            ReadOnlySpan<byte> name = _records[19..length];
            Name = name[..name.IndexOf((byte)0)];
            // DT_ values are the S_IFMT bits shifted right by 12.
            Type = (FileType)((uint)_records[18] << 12);
            _records = _records[length..];
        }
        while (Name.SequenceEqual("."u8) || Name.SequenceEqual(".."u8));
        return true;
    }

    private bool Fill()
    {
        nint n;
        // SAFETY: the buffer is pinned for the call and its length bounds the kernel's write.
        fixed (byte* p = _buffer)
        {
            n = getdents64(Files.Fd(directory), p, (nuint)_buffer.Length);
        }

        // Removed since it was opened: nothing is in it any more.
        if (n < 0 && (Errno)Marshal.GetLastPInvokeError() == Errno.ENOENT)
        {
            return false;
        }

        _records = n >= 0 ? _buffer[..(int)n] : throw SyscallException.Last("getdents64", target);
        return n > 0;
    }

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint getdents64(int fd, byte* buffer, nuint count);
}
