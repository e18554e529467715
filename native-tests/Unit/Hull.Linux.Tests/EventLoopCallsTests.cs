using System.Text;
using Microsoft.Win32.SafeHandles;

namespace Hull.Linux.Tests;

/// <summary>The calls an event loop stands on, against the kernel of the machine; no root needed.</summary>
public sealed class EventLoopCallsTests
{
    [Fact]
    public void Epoll_ReadablePipe_ReportsItsTag()
    {
        using Epoll epoll = new();
        (SafeFileHandle read, SafeFileHandle write) = Descriptors.Pipe(nonBlocking: true);
        using (read)
        using (write)
        {
            epoll.Add(read, PollEvents.Readable, 0x1122334455667788);
            Assert.Equal(0, epoll.Wait(0));

            Files.Write(write, "x"u8);

            Assert.Equal(1, epoll.Wait(1000));
            Assert.Equal((PollEvents.Readable, 0x1122334455667788UL), epoll.Event(0));
            epoll.Remove(read);
            Assert.Equal(0, epoll.Wait(0));
        }
    }

    [Fact]
    public void Epoll_TwoReady_BothReadOutOfThePackedTable()
    {
        using Epoll epoll = new();
        (SafeFileHandle firstRead, SafeFileHandle firstWrite) = Descriptors.Pipe();
        (SafeFileHandle secondRead, SafeFileHandle secondWrite) = Descriptors.Pipe();
        epoll.Add(firstRead, PollEvents.Readable, 1);
        epoll.Add(secondRead, PollEvents.Readable, 2);
        firstWrite.Dispose();
        Files.Write(secondWrite, "x"u8);

        Assert.Equal(2, epoll.Wait(1000));

        Assert.Equal([(PollEvents.Readable, 2UL), (PollEvents.HangUp, 1UL)], new[] { epoll.Event(0), epoll.Event(1) }.Order());
        firstRead.Dispose();
        secondRead.Dispose();
        secondWrite.Dispose();
    }

    [Fact]
    public void Poll_OneOfTwoReady_SaysWhich()
    {
        (SafeFileHandle read, SafeFileHandle write) = Descriptors.Pipe();
        using (read)
        using (write)
        {
            Span<PollEntry> table = [new PollEntry(read, PollEvents.Readable), new PollEntry(write, PollEvents.Writable), new PollEntry(null, PollEvents.Readable)];

            Assert.Equal(1, Poll.Wait(table, 1000));

            Assert.Equal((PollEvents.None, PollEvents.Writable, PollEvents.None), (table[0].Came, table[1].Came, table[2].Came));
        }
    }

    [Fact]
    public void TryRead_EmptyPipe_SaysAgain()
    {
        (SafeFileHandle read, SafeFileHandle write) = Descriptors.Pipe(nonBlocking: true);
        using (read)
        using (write)
        {
            Assert.Equal(-1, Descriptors.TryRead(read, new byte[1], out Errno errno));
            Assert.Equal(Errno.EAGAIN, errno);
        }
    }

    [Fact]
    public void UnixSockets_DescriptorPassed_IsTheSameOpenFile()
    {
        (SafeFileHandle first, SafeFileHandle second) = UnixSockets.Pair();
        (SafeFileHandle read, SafeFileHandle write) = Descriptors.Pipe();
        List<SafeFileHandle> received = [];
        byte[] buffer = new byte[16];

        Assert.Equal(2, UnixSockets.TrySend(first, "hi"u8, out Errno _, write));
        Assert.Equal(2, UnixSockets.TryReceive(second, buffer, out Errno _, received));
        SafeFileHandle passed = Assert.Single(received);
        Files.Write(passed, "through"u8);

        Assert.Equal("through", Encoding.UTF8.GetString(buffer, 0, Files.Read(read, buffer)));
        foreach (SafeFileHandle handle in (SafeFileHandle[])[first, second, read, write, passed])
        {
            handle.Dispose();
        }
    }

    [Fact]
    public void UnixSockets_DirectoryDeeperThan108Bytes_ListensAndConnects()
    {
        string root = Directory.CreateTempSubdirectory("hull-socket-").FullName;
        string deep = Path.Combine(root, new string('a', 200), new string('b', 200));
        Directory.CreateDirectory(deep);
        using SafeFileHandle directory = Files.Open(deep, OpenFlags.Directory | OpenFlags.Path);
        Assert.Null(UnixSockets.TryConnect(directory, "s"));

        using SafeFileHandle listener = UnixSockets.Listen(directory, "s");
        using SafeFileHandle? client = UnixSockets.TryConnect(directory, "s");
        using SafeFileHandle? server = UnixSockets.TryAccept(listener);

        Assert.NotNull(client);
        Assert.NotNull(server);
        Assert.Equal(Environment.ProcessId, UnixSockets.Peer(server).ProcessId);
        Assert.Equal(0x180u, Files.TryStatAt(directory, "s", followLinks: false, out Errno _)!.Value.Permissions);
        Directory.Delete(root, recursive: true);
    }

    [Fact]
    public void UnixSockets_PeerGone_SendFailsWithoutASignal()
    {
        (SafeFileHandle first, SafeFileHandle second) = UnixSockets.Pair();
        second.Dispose();

        Assert.Equal(-1, UnixSockets.TrySend(first, "x"u8, out Errno errno));

        Assert.Equal(Errno.EPIPE, errno);
        first.Dispose();
    }

    [Fact]
    public void ProcessSpawn_ShellWithDescriptor_RunsInItsOwnSessionAndIsReaped()
    {
        (SafeFileHandle read, SafeFileHandle write) = Descriptors.Pipe();
        using SafeFileHandle nothing = Files.Open("/dev/null", OpenFlags.ReadWrite);
        int pid = ProcessSpawn.Start(new SpawnRequest
        {
            Program = "/bin/sh",
            Arguments = ["sh", "-c", "echo $A $PWD >&3; kill -TERM $$"],
            Environment = ["A=b c"],
            Descriptors = [new(nothing, 0), new(nothing, 1), new(nothing, 2), new(write, 3)],
            NewSession = true,
            WorkingDirectory = "/",
        });
        write.Dispose();
        using SafeFileHandle? pidFd = PidFd.TryOpen(pid);
        Assert.NotNull(pidFd);

        byte[] text = Files.ReadAll(read, 100);
        ProcessExit? exit = PidFd.Reap(pidFd, wait: true);

        Assert.Equal("b c /\n", Encoding.UTF8.GetString(text));
        Assert.Equal(new ProcessExit(0, 15), exit);
        Assert.Equal(143, exit!.Value.ShellCode);
        Assert.False(PidFd.SendSignal(pidFd, 9));
        read.Dispose();
    }

    [Fact]
    public void ProcessSpawn_NoSuchProgram_SaysENOENT()
    {
        SyscallException error = Assert.Throws<SyscallException>(() =>
            ProcessSpawn.Start(new SpawnRequest { Program = "/no/such", Arguments = ["x"], Descriptors = [] }));

        Assert.Equal(("posix_spawn", "/no/such", Errno.ENOENT), (error.Operation, error.Target, error.Errno));
    }

    [Fact]
    public void ProcessSpawn_DescriptorsCrossed_EachArrivesUnderItsNumber()
    {
        (SafeFileHandle firstRead, SafeFileHandle firstWrite) = Descriptors.Pipe();
        (SafeFileHandle secondRead, SafeFileHandle secondWrite) = Descriptors.Pipe();
        int first = (int)firstWrite.DangerousGetHandle();
        int second = (int)secondWrite.DangerousGetHandle();
        int pid = ProcessSpawn.Start(new SpawnRequest
        {
            Program = "/bin/sh",
            Arguments = ["sh", "-c", $"echo one >/proc/self/fd/{second}; echo two >/proc/self/fd/{first}"],
            Descriptors = [new(firstWrite, second), new(secondWrite, first)],
        });
        firstWrite.Dispose();
        secondWrite.Dispose();
        using SafeFileHandle? pidFd = PidFd.TryOpen(pid);
        PidFd.Reap(pidFd!, wait: true);

        Assert.Equal(("one\n", "two\n"), (Encoding.UTF8.GetString(Files.ReadAll(firstRead, 99)), Encoding.UTF8.GetString(Files.ReadAll(secondRead, 99))));
        firstRead.Dispose();
        secondRead.Dispose();
    }

    [Fact]
    public void Terminals_Pipe_IsNone()
    {
        (SafeFileHandle read, SafeFileHandle write) = Descriptors.Pipe();
        using (read)
        using (write)
        {
            Assert.False(Terminals.IsTerminal(read));
            Assert.Null(Terminals.TryGetSize(read));
            Assert.Equal(Errno.ENOTTY, Assert.Throws<SyscallException>(() => Terminals.SetSize(read, new TerminalSize(1, 2))).Errno);
        }
    }

    [Fact]
    public void Terminals_Master_SizeAndRawModeRoundTrip()
    {
        using SafeFileHandle master = Files.Open("/dev/ptmx", OpenFlags.ReadWrite | OpenFlags.NoControllingTerminal);
        Terminals.SetSize(master, new TerminalSize(40, 132));

        Assert.Equal(new TerminalSize(40, 132), Terminals.TryGetSize(master));
        TerminalSettings cooked = Terminals.MakeRaw(master);
        TerminalSettings raw = Terminals.MakeRaw(master);
        Assert.NotEqual(cooked.Native, raw.Native);
        Assert.True(Terminals.Restore(master, cooked));
        Assert.Equal(cooked.Native, Terminals.MakeRaw(master).Native);
    }

    [Fact]
    public void Inotify_FileWritten_WakesUp()
    {
        string directory = Directory.CreateTempSubdirectory("hull-inotify-").FullName;
        using SafeFileHandle watch = Inotify.Watch(directory, WatchEvents.Modified | WatchEvents.Created);
        Span<PollEntry> table = [new PollEntry(watch, PollEvents.Readable)];
        Assert.Equal(0, Poll.Wait(table, 0));

        File.WriteAllText(Path.Combine(directory, "x"), "y");

        Assert.Equal(1, Poll.Wait(table, 1000));
        Inotify.Drain(watch);
        Assert.Equal(0, Poll.Wait(table, 0));
        Directory.Delete(directory, recursive: true);
    }

    [Fact]
    public void SignalSet_Of_UsesTheKernelsBits()
    {
        SignalSet set = SignalSet.Of(Signal.SIGHUP, Signal.SIGCHLD);

        Assert.Equal(0x10001UL, set.Bits);
        Assert.True(set.Contains(Signal.SIGCHLD));
        Assert.False(set.Contains(Signal.SIGTERM));
    }
}
