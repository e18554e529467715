using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Hull.Linux;

/// <summary>An flock(2) on a file, held until disposed or until the process ends, however it ends.</summary>
/// <remarks>The lock belongs to the open file description: a child that inherits the descriptor shares it.</remarks>
public sealed partial class FileLock : IDisposable
{
    private readonly SafeFileHandle _file;

    private FileLock(SafeFileHandle file) => _file = file;

    /// <summary>The locked file; owned by the lock.</summary>
    public SafeFileHandle Handle => _file;

    /// <summary>Waits for the lock. The file is made, mode 0600, where it is missing.</summary>
    /// <exception cref="SyscallException">The file cannot be opened or locked.</exception>
    public static FileLock Acquire(string path, bool shared = false) =>
        Take(path, shared ? LockShared : LockExclusive) ?? throw new SyscallException("flock", path, Errno.EAGAIN);

    /// <summary>The lock, or null where another holder has it.</summary>
    public static FileLock? TryAcquire(string path, bool shared = false) =>
        Take(path, (shared ? LockShared : LockExclusive) | LockNonBlocking);

    /// <summary>Waits for the exclusive lock of a directory; null where there is none of that name.</summary>
    /// <exception cref="SyscallException">The directory cannot be opened or locked.</exception>
    public static FileLock? AcquireDirectory(string path)
    {
        SafeFileHandle? directory = Files.TryOpenAt(null, path, OpenFlags.ReadOnly | OpenFlags.Directory | OpenFlags.NoFollow, 0, out Errno errno);
        return directory is not null ? Lock(directory, path, LockExclusive)
            : errno == Errno.ENOENT ? null
            : throw new SyscallException("open", path, errno);
    }

    /// <summary>The exclusive lock of a directory, or null where another holder has it. The directory is not made.</summary>
    public static FileLock? TryAcquireDirectory(string path) =>
        Lock(Files.Open(path, OpenFlags.ReadOnly | OpenFlags.Directory | OpenFlags.NoFollow), path, LockExclusive | LockNonBlocking);

    /// <summary>The exclusive lock of a file or directory, or null where another holder has it or it is gone. Nothing is made.</summary>
    public static FileLock? TryAcquireExisting(string path)
    {
        SafeFileHandle? file = Files.TryOpenAt(null, path, OpenFlags.ReadOnly | OpenFlags.NoFollow | OpenFlags.NonBlocking, 0, out Errno errno);
        return file is not null ? Lock(file, path, LockExclusive | LockNonBlocking)
            : errno == Errno.ENOENT ? null
            : throw new SyscallException("open", path, errno);
    }

    /// <summary>Whether someone holds the lock exclusively. Makes no file; a missing one is held by nobody. A shared lock is
    /// taken for a moment, which other askers do not notice.</summary>
    public static bool IsHeldExclusively(string path)
    {
        using SafeFileHandle? file = Files.TryOpenAt(null, path, OpenFlags.ReadOnly, 0, out Errno openErrno);
        if (file is null)
        {
            return openErrno is Errno.ENOENT or Errno.ENOTDIR ? false : throw new SyscallException("open", path, openErrno);
        }

        while (flock(Files.Fd(file), LockShared | LockNonBlocking) != 0)
        {
            switch (SyscallException.LastErrno)
            {
                case Errno.EINTR:
                    continue;
                case Errno.EAGAIN:
                    return true;
                default:
                    throw SyscallException.Last("flock", path);
            }
        }

        return false;
    }

    /// <summary>Unlocks, explicitly: a child before its execve shares the descriptor, and closing ours would leave it locked.</summary>
    public void Dispose()
    {
        if (!_file.IsClosed)
        {
            // LOCK_UN of an open descriptor cannot fail.
            _ = flock(Files.Fd(_file), LockUnlock);
        }

        _file.Dispose();
    }

    private static FileLock? Take(string path, int operation)
    {
        SafeFileHandle? file = Files.TryOpenAt(null, path, OpenFlags.ReadWrite | OpenFlags.Create, 0x180, out Errno errno);
        // What a read-only disk has can be read all the same; flock(2) asks for no right to write. What it has not cannot be made.
        file ??= errno == Errno.EROFS ? Files.TryOpenAt(null, path, OpenFlags.ReadOnly, 0, out _) : null;
        return file is not null ? Lock(file, path, operation) : throw new SyscallException("open", path, errno);
    }

    private static FileLock? Lock(SafeFileHandle file, string path, int operation)
    {
        while (flock(Files.Fd(file), operation) != 0)
        {
            switch (SyscallException.LastErrno)
            {
                case Errno.EINTR:
                    continue;
                case Errno.EAGAIN:
                    file.Dispose();
                    return null;
                default:
                    SyscallException error = SyscallException.Last("flock", path);
                    file.Dispose();
                    throw error;
            }
        }

        return new FileLock(file);
    }

    private const int LockShared = 1;
    private const int LockExclusive = 2;
    private const int LockNonBlocking = 4;
    private const int LockUnlock = 8;

    [LibraryImport("libc", SetLastError = true)]
    private static partial int flock(int fd, int operation);
}
