using System.Runtime.InteropServices;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace Hull.Linux;

/// <summary>A file system being configured: fsopen(2), fsconfig(2), fsmount(2) (Linux 5.2).</summary>
/// <remarks>The kernel explains refusals in words on the descriptor; they become the detail of the exception.</remarks>
public sealed unsafe partial class FileSystemContext : IDisposable
{
    /// <summary>fsconfig(2) commands.</summary>
    public const int SetFlagCommand = 0;
    public const int SetStringCommand = 1;
    public const int SetFileDescriptorCommand = 5;
    public const int CreateCommand = 6;

    private readonly SafeFileHandle _context;
    private readonly string _type;

    public FileSystemContext(string type)
    {
        _type = type;
        nint fd = fsopen(SystemCallNumbers.fsopen, type, 1);
        _context = fd >= 0
            ? new SafeFileHandle((int)fd, ownsHandle: true)
            : throw SyscallException.Last("fsopen", type, hint: $"is {type} in /proc/filesystems?");
    }

    /// <summary>A key with a value of at most 255 bytes.</summary>
    /// <param name="hint">What to do where the file system refuses it.</param>
    public void Set(string key, string value, string? hint = null)
    {
        if (!TrySet(key, value, out Errno errno))
        {
            throw new SyscallException("fsconfig", _type, errno, $"{key}={value}{Explain()}", hint);
        }
    }

    public bool TrySet(string key, string value, out Errno errno)
    {
        nint result = fsconfig(SystemCallNumbers.fsconfig, Files.Fd(_context), SetStringCommand, key, value, 0);
        errno = result == 0 ? Errno.None : SyscallException.LastErrno;
        return result == 0;
    }

    /// <summary>A key without a value, such as <c>ro</c>.</summary>
    public void SetFlag(string key)
    {
        if (fsconfig(SystemCallNumbers.fsconfig, Files.Fd(_context), SetFlagCommand, key, null, 0) != 0)
        {
            throw SyscallException.Last("fsconfig", _type, key + Explain());
        }
    }

    /// <summary>A key whose value is an open file or directory.</summary>
    public void SetDescriptor(string key, SafeFileHandle value, string? hint)
    {
        if (fsconfig(SystemCallNumbers.fsconfig, Files.Fd(_context), SetFileDescriptorCommand, key, null, Files.Fd(value)) != 0)
        {
            Errno errno = SyscallException.LastErrno;
            throw new SyscallException("fsconfig", _type, errno, key + Explain(), hint);
        }
    }

    /// <summary>Makes the file system and a detached mount of it.</summary>
    public SafeFileHandle Mount(MountAttributes attributes)
    {
        if (fsconfig(SystemCallNumbers.fsconfig, Files.Fd(_context), CreateCommand, null, null, 0) != 0)
        {
            Errno errno = SyscallException.LastErrno;
            throw new SyscallException("fsconfig", _type, errno, "create" + Explain());
        }

        nint fd = fsmount(SystemCallNumbers.fsmount, Files.Fd(_context), 1, (nuint)attributes);
        return fd >= 0 ? new SafeFileHandle((int)fd, ownsHandle: true) : throw SyscallException.Last("fsmount", _type, $"attributes={attributes}");
    }

    public void Dispose() => _context.Dispose();

    /// <summary>The kernel's own words, each message once, fsopen(2) "message retrieval"; empty where there are none.</summary>
    private string Explain()
    {
        StringBuilder words = new();
        Span<byte> buffer = stackalloc byte[512];
        while (true)
        {
            nint n;
            // SAFETY: the kernel writes at most the span's length.
            fixed (byte* p = buffer)
            {
                n = read(Files.Fd(_context), p, (nuint)buffer.Length);
            }

            // ENODATA: no message left.
            if (n <= 0)
            {
                return words.ToString();
            }

            words.Append("; kernel: ").Append(Encoding.UTF8.GetString(buffer[..(int)n]).TrimEnd('\n'));
        }
    }

    [LibraryImport("libc", EntryPoint = "syscall", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial nint fsopen(nint number, string type, nint flags);

    [LibraryImport("libc", EntryPoint = "syscall", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial nint fsconfig(nint number, nint context, nint command, string? key, string? value, nint aux);

    [LibraryImport("libc", EntryPoint = "syscall", SetLastError = true)]
    private static partial nint fsmount(nint number, nint context, nint flags, nuint attributes);

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint read(int fd, byte* buffer, nuint count);
}
