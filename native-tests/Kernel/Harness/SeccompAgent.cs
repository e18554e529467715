using System.Buffers.Binary;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.Win32.SafeHandles;

namespace Hull.Kernel.Tests.Harness;

/// <summary>A seccomp agent: takes the descriptors that runtimes send to its socket and answers the system calls that come on
/// them (seccomp_unotify(2)).</summary>
public sealed partial class SeccompAgent : IDisposable
{
    private const nuint ReceiveCall = 0xC0502100; // SECCOMP_IOCTL_NOTIF_RECV
    private const nuint SendAnswer = 0xC0182101;  // SECCOMP_IOCTL_NOTIF_SEND
    private const int CallBytes = 80;             // struct seccomp_notif
    private const int AnswerBytes = 24;           // struct seccomp_notif_resp
    private const int LongestMessage = 65536;
    private const uint Continue = 1;              // SECCOMP_USER_NOTIF_FLAG_CONTINUE
    private const short Readable = 1;
    private const int LookMilliseconds = 20;

    private readonly Socket _listener;
    private readonly Func<NotifiedCall, CallAnswer> _answer;
    private readonly List<JsonNode> _messages = [];
    private readonly List<Thread> _threads = [];
    private volatile bool _ended;
    private Exception? _failure;

    /// <param name="path">Where its socket is made.</param>
    public SeccompAgent(string path, Func<NotifiedCall, CallAnswer> answer)
    {
        Path = path;
        _answer = answer;
        _listener = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        _listener.Bind(new UnixDomainSocketEndPoint(path));
        _listener.Listen();
        Begin(Accept);
    }

    public string Path { get; }

    /// <summary>What the runtimes have told, in order.</summary>
    public IReadOnlyList<JsonNode> Messages
    {
        get
        {
            lock (_messages)
            {
                return [.. _messages];
            }
        }
    }

    /// <summary>Closes every descriptor, as an agent does that ends.</summary>
    public void Dispose()
    {
        _ended = true;
        Thread[] all;
        lock (_threads)
        {
            all = [.. _threads];
        }

        foreach (Thread thread in all)
        {
            thread.Join();
        }

        _listener.Dispose();
        Assert.True(_failure is null, _failure?.ToString());
    }

    private void Begin(Action work)
    {
        Thread thread = new(() =>
        {
            try
            {
                work();
            }
            catch (Exception error)
            {
                // Shown by the test when it is done with the agent.
                _failure = error;
            }
        })
        {
            IsBackground = true,
        };
        lock (_threads)
        {
            _threads.Add(thread);
        }

        thread.Start();
    }

    private void Accept()
    {
        while (!_ended)
        {
            if (_listener.Poll(TimeSpan.FromMilliseconds(LookMilliseconds), SelectMode.SelectRead))
            {
                using Socket connection = _listener.Accept();
                SafeFileHandle descriptor = Take(connection, out byte[] message);
                lock (_messages)
                {
                    _messages.Add(JsonNode.Parse(message)!);
                }

                Begin(() => Serve(descriptor));
            }
        }
    }

    private static unsafe SafeFileHandle Take(Socket connection, out byte[] message)
    {
        byte[] buffer = new byte[LongestMessage];
        byte* control = stackalloc byte[64];
        fixed (byte* p = buffer)
        {
            IoVector vector = new() { Base = p, Length = (nuint)buffer.Length };
            MessageHeader header = new() { Vectors = &vector, VectorCount = 1, Control = control, ControlLength = 64 };
            int length = (int)recvmsg((int)connection.Handle, &header, 0x40000000);
            message = buffer[..Math.Max(length, 0)];
            // struct cmsghdr: length, SOL_SOCKET, SCM_RIGHTS; one descriptor follows.
            Assert.Equal((20, 1, 1), ((int)header.ControlLength == 24 ? *(int*)control : 0, *(int*)(control + 8), *(int*)(control + 12)));
            return new SafeFileHandle(*(int*)(control + 16), ownsHandle: true);
        }
    }

    private void Serve(SafeFileHandle descriptor)
    {
        using SafeFileHandle owned = descriptor;
        while (!_ended)
        {
            PollEntry entry = new() { Descriptor = (int)owned.DangerousGetHandle(), Wanted = Readable };
            if (poll(ref entry, 1, LookMilliseconds) <= 0)
            {
                continue;
            }

            if ((entry.Came & Readable) == 0)
            {
                return; // POLLHUP: no process has the filter any more.
            }

            byte[] call = new byte[CallBytes];
            if (ioctl(owned, ReceiveCall, call) != 0)
            {
                continue; // ENOENT: the caller was killed meanwhile.
            }

            CallAnswer answer = _answer(NotifiedCall.Of(call));
            byte[] response = new byte[AnswerBytes];
            call.AsSpan(0, sizeof(ulong)).CopyTo(response);
            BinaryPrimitives.WriteInt32LittleEndian(response.AsSpan(16), -answer.Errno);
            BinaryPrimitives.WriteUInt32LittleEndian(response.AsSpan(20), answer.Goes ? Continue : 0);
            Assert.True(ioctl(owned, SendAnswer, response) == 0, $"SECCOMP_IOCTL_NOTIF_SEND: errno {Marshal.GetLastPInvokeError()}");
        }
    }

    [StructLayout(LayoutKind.Sequential)]
    private struct PollEntry
    {
        public int Descriptor;
        public short Wanted;
        public short Came;
    }

    [StructLayout(LayoutKind.Sequential)]
    private unsafe struct IoVector
    {
        public byte* Base;
        public nuint Length;
    }

    [StructLayout(LayoutKind.Sequential)]
    private unsafe struct MessageHeader
    {
        public void* Name;
        public uint NameLength;
        public IoVector* Vectors;
        public nuint VectorCount;
        public void* Control;
        public nuint ControlLength;
        public int Flags;
    }

    [LibraryImport("libc", SetLastError = true)]
    private static unsafe partial nint recvmsg(int socket, MessageHeader* header, int flags);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int poll(ref PollEntry entries, nuint count, int milliseconds);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int ioctl(SafeFileHandle file, nuint request, byte[] argument);
}

/// <summary>A system call that waits for its answer.</summary>
/// <param name="Pid">The caller, in the test's pid namespace.</param>
public sealed record NotifiedCall(int Pid, IReadOnlyList<ulong> Arguments)
{
    /// <summary>From the kernel's struct seccomp_notif.</summary>
    internal static NotifiedCall Of(byte[] bytes) => new(
        BinaryPrimitives.ReadInt32LittleEndian(bytes.AsSpan(8)),
        [.. Enumerable.Range(0, 6).Select(i => BinaryPrimitives.ReadUInt64LittleEndian(bytes.AsSpan(32 + (i * 8))))]);

    /// <summary>The text that an argument points to, in the caller's memory.</summary>
    public string Text(int argument)
    {
        byte[] buffer = new byte[256];
        using FileStream memory = File.OpenRead($"/proc/{Pid}/mem");
        memory.Seek((long)Arguments[argument], SeekOrigin.Begin);
        int length = memory.Read(buffer);
        return Encoding.UTF8.GetString(buffer.AsSpan(0, length)).Split('\0')[0];
    }
}

/// <summary>The kernel carries the call out, or it ends with an errno; 0 is success without anything done.</summary>
public readonly record struct CallAnswer(bool Goes, int Errno)
{
    public static CallAnswer Carry => new(true, 0);

    public static CallAnswer With(int errno) => new(false, errno);
}
