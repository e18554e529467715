using System.Buffers.Binary;
using System.Text;
using Hull.Cli.Terminal;
using Hull.Engine;
using Hull.Engine.Containers;
using Hull.Engine.Monitor;
using Hull.Linux;
using Microsoft.Win32.SafeHandles;

namespace Hull.Cli.Tests.Terminal;

/// <summary>The client's loop against a monitor of a few lines, over a real socket.</summary>
public sealed class AttachSessionTests : IDisposable
{
    private readonly string _root = Directory.CreateTempSubdirectory("hull-cli-").FullName;
    private readonly ContainerId _id = ContainerId.New();
    private readonly HullPaths _paths;
    private readonly SafeFileHandle _directory;
    private readonly SafeFileHandle _listener;

    public AttachSessionTests()
    {
        _paths = new HullPaths(_root + "/data", _root + "/exec");
        Directory.CreateDirectory(_paths.RuntimeDirectory(_id));
        _directory = Files.Open(_paths.RuntimeDirectory(_id), OpenFlags.Path | OpenFlags.Directory);
        _listener = UnixSockets.Listen(_directory, "monitor.sock");
    }

    public void Dispose()
    {
        _listener.Dispose();
        _directory.Dispose();
        Directory.Delete(_root, recursive: true);
    }

    [Fact]
    public void Run_OutputThenExit_StreamsAndCode()
    {
        (AttachResult result, string output, string error) = Attach(AttachStreams.Stdout | AttachStreams.Stderr, [], monitor =>
        {
            monitor.Send(FrameKind.Output, "out\n"u8);
            monitor.Send(FrameKind.ErrorOutput, "err\n"u8);
            monitor.Exit(42);
        });
        Assert.Equal((AttachEnd.Exited, 42, "out\n", "err\n"), (result.End, result.Exit!.Code, output, error));
    }

    [Fact]
    public void Run_BigInputEchoed_DoesNotBlockItself()
    {
        byte[] input = new byte[4 << 20];
        new Random(1).NextBytes(input);
        int echoed = 0;
        (AttachResult result, _, _) = Attach(AttachStreams.All, input, monitor =>
        {
            while (monitor.Receive() is { Kind: FrameKind.Input } frame)
            {
                echoed += frame.Payload.Length;
                monitor.Send(FrameKind.Output, frame.Payload);
            }

            monitor.Exit(0);
        });
        Assert.Equal((AttachEnd.Exited, input.Length), (result.End, echoed));
    }

    [Fact]
    public void Run_MonitorGone_IsLost() => Assert.Equal(
        AttachEnd.Lost, Attach(AttachStreams.Stdout, [], monitor => monitor.Send(FrameKind.Output, "x"u8)).Result.End);

    [Fact]
    public void Run_MonitorDetaches_GivesItsReason()
    {
        AttachResult result = Attach(AttachStreams.Stdout, [], monitor => monitor.Send(FrameKind.Detached, "too slow"u8)).Result;
        Assert.Equal((AttachEnd.DetachedByMonitor, "too slow"), (result.End, result.Reason));
    }

    [Fact]
    public void Run_DetachKeysInTty_LeavesAndSendsWhatCameBefore()
    {
        byte[] received = [];
        AttachResult result = Attach(AttachStreams.All, "ls\u0010\u0011rest"u8.ToArray(), monitor => received = monitor.Receive()!.Value.Payload, tty: true).Result;
        Assert.Equal((AttachEnd.DetachedByUser, "ls"), (result.End, Encoding.UTF8.GetString(received)));
    }

    private (AttachResult Result, string Output, string Error) Attach(AttachStreams streams, byte[] input, Action<FakeMonitor> serve, bool tty = false)
    {
        Thread server = new(() =>
        {
            using FakeMonitor monitor = new(_listener);
            Assert.Equal(FrameKind.Attach, monitor.Receive()!.Value.Kind);
            monitor.Send(FrameKind.Attached, []);
            serve(monitor);
        });
        server.Start();
        (SafeFileHandle inputRead, SafeFileHandle inputWrite) = Descriptors.Pipe();
        Thread feeder = new(() =>
        {
            using (inputWrite)
            {
                Files.Write(inputWrite, input);
            }
        });
        feeder.Start();
        string outputFile = Path.Combine(_root, "out");
        string errorFile = Path.Combine(_root, "err");
        AttachResult result;
        using (inputRead)
        using (SafeFileHandle output = Files.Open(outputFile, OpenFlags.WriteOnly | OpenFlags.Create, 0x180))
        using (SafeFileHandle error = Files.Open(errorFile, OpenFlags.WriteOnly | OpenFlags.Create, 0x180))
        {
            MonitorConnection connection = MonitorClient.Attach(_paths, _id, new AttachRequest { Streams = streams });
            result = AttachSession.Run(connection, new AttachOptions
            {
                Input = (streams & AttachStreams.Stdin) != 0 ? inputRead : null,
                Output = output,
                Error = error,
                Tty = tty,
                DetachKeys = DetachKeys.Parse(null),
            });
            server.Join();
            feeder.Join();
        }

        return (result, File.ReadAllText(outputFile), File.ReadAllText(errorFile));
    }

    /// <summary>The other end: blocking, a frame at a time.</summary>
    private sealed class FakeMonitor : IDisposable
    {
        private readonly SafeFileHandle _socket;

        public FakeMonitor(SafeFileHandle listener)
        {
            PollEntry[] entry = [new(listener, PollEvents.Readable)];
            Assert.Equal(1, Poll.Wait(entry, 10_000));
            _socket = UnixSockets.TryAccept(listener)!;
            Descriptors.SetNonBlocking(_socket, on: false);
        }

        public (FrameKind Kind, byte[] Payload)? Receive()
        {
            byte[] header = Read(8);
            return header.Length < 8 ? null
                : ((FrameKind)header[4], Read((int)BinaryPrimitives.ReadUInt32LittleEndian(header)));
        }

        public void Send(FrameKind kind, ReadOnlySpan<byte> payload)
        {
            byte[] frame = new byte[8 + payload.Length];
            BinaryPrimitives.WriteUInt32LittleEndian(frame, (uint)payload.Length);
            frame[4] = (byte)kind;
            payload.CopyTo(frame.AsSpan(8));
            Files.Write(_socket, frame);
        }

        /// <summary>Exited: i32 code, no memory kill, no error.</summary>
        public void Exit(int code)
        {
            byte[] notice = new byte[6];
            BinaryPrimitives.WriteInt32LittleEndian(notice, code);
            Send(FrameKind.Exited, notice);
        }

        public void Dispose() => _socket.Dispose();

        private byte[] Read(int count)
        {
            byte[] bytes = new byte[count];
            int length = 0;
            while (length < count && Files.Read(_socket, bytes.AsSpan(length)) is > 0 and int n)
            {
                length += n;
            }

            return bytes[..length];
        }
    }
}
