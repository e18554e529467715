using Hull.Engine.Containers;
using Hull.Engine.Monitor;
using Hull.Linux;

namespace Hull.Engine.Tests.Monitor;

public sealed class FrameTests
{
    [Fact]
    public void Exec_EncodedAndDecoded_IsTheSame()
    {
        ExecRequest request = new()
        {
            Args = ["sh", "-c", "echo ünïcode\n"],
            Env = ["A=1", "B="],
            User = "1000:1000",
            Tty = true,
            Streams = AttachStreams.Stdin | AttachStreams.Stdout,
            Size = new TerminalSize(50, 200),
        };

        ExecRequest decoded = ExecRequest.Decode(Payload(request.Encode(), FrameKind.Exec));

        Assert.Equal(request.Args, decoded.Args);
        Assert.Equal(request.Env, decoded.Env);
        Assert.Equal((null, "1000:1000", true, false), (decoded.WorkingDirectory, decoded.User, decoded.Tty, decoded.Privileged));
        Assert.Equal((request.Streams, request.Size), (decoded.Streams, decoded.Size));
    }

    [Fact]
    public void Start_EncodedAndDecoded_IsTheSame()
    {
        StartRequest request = new() { DataRoot = "/d", ExecRoot = "/e", Container = ContainerId.New(), Streams = AttachStreams.All, RestartCount = 3 };

        Assert.Equal(request, StartRequest.Decode(Payload(request.Encode(), FrameKind.Start)));
    }

    [Fact]
    public void ExitAndStatus_EncodedAndDecoded_AreTheSame()
    {
        ExitNotice exit = new(137, OomKilled: true, "killed for memory, limit 64 MiB");
        MonitorStatus status = new(ContainerState.Paused, 77, 2, [5, 6], null);

        Assert.Equal(exit, ExitNotice.Decode(Payload(exit.Encode(), FrameKind.Exited)));
        MonitorStatus decoded = MonitorStatus.Decode(Payload(status.Encode(), FrameKind.Status));
        Assert.Equal(status.Execs, decoded.Execs);
        Assert.Equal(status with { Execs = decoded.Execs }, decoded);
    }

    [Fact]
    public void TryRead_EveryPrefix_AsksForMore()
    {
        byte[] frame = new ExitNotice(1).Encode().Finish().ToArray();
        for (int length = 0; length < frame.Length; length++)
        {
            Assert.False(Frame.TryRead(frame.AsSpan(0, length), out _, out _, out int needed));
            Assert.Equal(length < Frame.HeaderLength ? Frame.HeaderLength : frame.Length, needed);
        }

        Assert.True(Frame.TryRead(frame, out FrameKind kind, out _, out _));
        Assert.Equal(FrameKind.Exited, kind);
    }

    [Theory]
    [InlineData(new byte[] { 0xff, 0xff, 0xff, 0xff, 1, 0, 0, 0 })]
    [InlineData(new byte[] { 0, 0, 0, 0, 0, 0, 0, 0 })]
    [InlineData(new byte[] { 0, 0, 0, 0, 1, 1, 0, 0 })]
    [InlineData(new byte[] { (byte)'G', (byte)'E', (byte)'T', (byte)' ', (byte)'/', 0, 0, 0 })]
    public void TryRead_NoFrame_IsRefusedAtOnce(byte[] bytes) =>
        Assert.Throws<InvalidDataException>(() => Frame.TryRead(bytes, out _, out _, out _));

    [Fact]
    public void Decode_RandomAndTruncatedPayloads_FailAsInvalidDataOnly()
    {
        Random random = new(4711);
        byte[] valid = Payload(new ExecRequest { Args = ["a", "b"], Env = ["C=d"], User = "u" }.Encode(), FrameKind.Exec);
        for (int round = 0; round < 20_000; round++)
        {
            byte[] payload = valid[..random.Next(valid.Length + 1)];
            for (int change = random.Next(4); change > 0 && payload.Length > 0; change--)
            {
                payload[random.Next(payload.Length)] = (byte)random.Next(256);
            }

            foreach (Action decode in (Action[])[
                () => ExecRequest.Decode(payload), () => StartRequest.Decode(payload), () => AttachRequest.Decode(payload),
                () => ExitNotice.Decode(payload), () => MonitorStatus.Decode(payload)])
            {
                try
                {
                    decode();
                }
                catch (InvalidDataException)
                {
                }
            }
        }
    }

    private static byte[] Payload(FrameWriter writer, FrameKind expected)
    {
        Assert.True(Frame.TryRead(writer.Finish(), out FrameKind kind, out ReadOnlySpan<byte> payload, out _));
        Assert.Equal(expected, kind);
        return payload.ToArray();
    }
}
