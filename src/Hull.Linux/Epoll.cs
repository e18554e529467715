using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Hull.Linux;

/// <summary>What epoll(7) and poll(2) report; the numbers are the same for both.</summary>
[Flags]
public enum PollEvents : uint
{
    None = 0,
    Readable = 0x1,
    Priority = 0x2,
    Writable = 0x4,
    Error = 0x8,
    HangUp = 0x10,
    /// <summary>POLLNVAL: the descriptor is not open. poll(2) only.</summary>
    Invalid = 0x20,
    /// <summary>The peer of a stream socket closed its writing half.</summary>
    ReadHangUp = 0x2000,
}

/// <summary>An epoll(7) instance. Level-triggered; not thread-safe.</summary>
/// <remarks>struct epoll_event is packed to 12 bytes on x86-64 and 16 bytes elsewhere, so events are read out of a byte
/// buffer with the architecture's stride.</remarks>
public sealed unsafe partial class Epoll : IDisposable
{
    private const int Capacity = 32;

    private static readonly int Stride = RuntimeInformation.ProcessArchitecture == Architecture.X64 ? 12 : 16;
    private static readonly int DataOffset = Stride - 8;

    private readonly SafeFileHandle _handle;
    private readonly byte[] _events = new byte[Capacity * 16];

    public Epoll()
    {
        int fd = epoll_create1((int)OpenFlags.CloseOnExec);
        _handle = fd >= 0 ? new SafeFileHandle(fd, ownsHandle: true) : throw SyscallException.Last("epoll_create1");
    }

    /// <summary>Watches a descriptor. Error and HangUp are reported always.</summary>
    /// <param name="tag">Comes back with each event.</param>
    public void Add(SafeFileHandle file, PollEvents events, ulong tag) => Control(1, file, events, tag);

    /// <summary>Changes what a watched descriptor is watched for.</summary>
    public void Modify(SafeFileHandle file, PollEvents events, ulong tag) => Control(3, file, events, tag);

    /// <summary>Stops watching. Must come before the descriptor is closed where another process shares its open file
    /// description, or events go on coming (epoll(7), questions and answers 6).</summary>
    public void Remove(SafeFileHandle file) => Control(2, file, PollEvents.None, 0);

    /// <summary>epoll_wait(2).</summary>
    /// <param name="milliseconds">Below 0: without limit.</param>
    /// <returns>How many events <see cref="Event"/> can give; 0 where the time ran out.</returns>
    public int Wait(int milliseconds)
    {
        // SAFETY: the buffer is pinned for the call and holds Capacity events of either stride.
        fixed (byte* p = _events)
        {
            int n = epoll_wait(Files.Fd(_handle), p, Capacity, milliseconds);
            if (n >= 0)
            {
                return n;
            }
        }

        return SyscallException.LastErrno == Errno.EINTR ? 0 : throw SyscallException.Last("epoll_wait");
    }

    /// <summary>One of the events of the last <see cref="Wait"/>.</summary>
    public (PollEvents Events, ulong Tag) Event(int index)
    {
        ReadOnlySpan<byte> entry = _events.AsSpan(index * Stride, Stride);
        return ((PollEvents)BinaryPrimitives.ReadUInt32LittleEndian(entry), BinaryPrimitives.ReadUInt64LittleEndian(entry[DataOffset..]));
    }

    public void Dispose() => _handle.Dispose();

    private void Control(int operation, SafeFileHandle file, PollEvents events, ulong tag)
    {
        Span<byte> entry = stackalloc byte[16];
        BinaryPrimitives.WriteUInt32LittleEndian(entry, (uint)events);
        BinaryPrimitives.WriteUInt64LittleEndian(entry[DataOffset..], tag);
        // SAFETY: the kernel reads one struct epoll_event, at most 16 bytes, from the local buffer.
        fixed (byte* p = entry)
        {
            if (epoll_ctl(Files.Fd(_handle), operation, Files.Fd(file), p) != 0)
            {
                throw SyscallException.Last("epoll_ctl", null, $"operation={operation} fd={Files.Fd(file)} events={events}");
            }
        }
    }

    [LibraryImport("libc", SetLastError = true)]
    private static partial int epoll_create1(int flags);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int epoll_ctl(int epoll, int operation, int fd, byte* entry);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int epoll_wait(int epoll, byte* events, int capacity, int milliseconds);
}
