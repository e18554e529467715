using Hull.Engine.Containers;
using Hull.Linux;

namespace Hull.Engine.Monitor;

/// <summary>Asks a new monitor to run a container whose record is written.</summary>
public sealed record StartRequest
{
    public required string DataRoot { get; init; }
    public required string ExecRoot { get; init; }
    public required ContainerId Container { get; init; }
    /// <summary>What the starter takes part in from the first byte on; None for a detached start.</summary>
    public AttachStreams Streams { get; init; }
    /// <summary>Size of the starter's terminal.</summary>
    public TerminalSize? Size { get; init; }
    /// <summary>Restarts that this series has behind it: 0 where a user starts the container.</summary>
    public int RestartCount { get; init; }

    internal FrameWriter Encode() => new FrameWriter(FrameKind.Start)
        .Text(DataRoot).Text(ExecRoot).Text(Container.Hex).Byte((byte)Streams).Size(Size).Int32(RestartCount);

    internal static StartRequest Decode(ReadOnlySpan<byte> payload)
    {
        FrameReader reader = new(payload);
        return new StartRequest
        {
            DataRoot = reader.Text(),
            ExecRoot = reader.Text(),
            Container = ContainerId.TryParse(reader.Text(), out ContainerId id) ? id : throw new InvalidDataException("monitor protocol: no container id"),
            Streams = (AttachStreams)reader.Byte(),
            Size = reader.Size(),
            RestartCount = reader.Int32(),
        };
    }
}

/// <summary>Asks to take part in a running container's streams.</summary>
public sealed record AttachRequest
{
    public required AttachStreams Streams { get; init; }
    public TerminalSize? Size { get; init; }

    internal FrameWriter Encode() => new FrameWriter(FrameKind.Attach).Byte((byte)Streams).Size(Size);

    internal static AttachRequest Decode(ReadOnlySpan<byte> payload)
    {
        FrameReader reader = new(payload);
        return new AttachRequest { Streams = (AttachStreams)reader.Byte(), Size = reader.Size() };
    }
}

/// <summary>Asks for a further process in a running container.</summary>
public sealed record ExecRequest
{
    public required IReadOnlyList<string> Args { get; init; }
    /// <summary><c>KEY=value</c>, added to the container's environment.</summary>
    public IReadOnlyList<string> Env { get; init; } = [];
    /// <summary>Null: the container's.</summary>
    public string? WorkingDirectory { get; init; }
    /// <summary><c>user[:group]</c>; null: the container's.</summary>
    public string? User { get; init; }
    public bool Tty { get; init; }
    public bool Privileged { get; init; }
    /// <summary>None: detached, the output is dropped and the client is answered with Started alone.</summary>
    public AttachStreams Streams { get; init; }
    public TerminalSize? Size { get; init; }

    internal FrameWriter Encode() => new FrameWriter(FrameKind.Exec)
        .Texts(Args).Texts(Env).OptionalText(WorkingDirectory).OptionalText(User)
        .Flag(Tty).Flag(Privileged).Byte((byte)Streams).Size(Size);

    internal static ExecRequest Decode(ReadOnlySpan<byte> payload)
    {
        FrameReader reader = new(payload);
        return new ExecRequest
        {
            Args = reader.Texts(),
            Env = reader.Texts(),
            WorkingDirectory = reader.OptionalText(),
            User = reader.OptionalText(),
            Tty = reader.Flag(),
            Privileged = reader.Flag(),
            Streams = (AttachStreams)reader.Byte(),
            Size = reader.Size(),
        };
    }
}

/// <summary>How a process ended.</summary>
/// <param name="Code">0 to 255; 128+N after signal N.</param>
/// <param name="Error">What the engine has to say about it, such as the memory limit that killed it.</param>
public sealed record ExitNotice(int Code, bool OomKilled = false, string? Error = null)
{
    internal FrameWriter Encode() => new FrameWriter(FrameKind.Exited).Int32(Code).Flag(OomKilled).OptionalText(Error);

    internal static ExitNotice Decode(ReadOnlySpan<byte> payload)
    {
        FrameReader reader = new(payload);
        return new ExitNotice(reader.Int32(), reader.Flag(), reader.OptionalText());
    }
}

/// <summary>What a monitor knows that is not in the container's record.</summary>
/// <param name="Pid">Init on the host; 0 while none lives.</param>
/// <param name="Clients">Attached clients.</param>
/// <param name="Execs">Process ids of running execs.</param>
/// <param name="LogTrouble">Why output could not be stored, if so.</param>
public sealed record MonitorStatus(ContainerState State, int Pid, int Clients, IReadOnlyList<int> Execs, string? LogTrouble)
{
    internal FrameWriter Encode()
    {
        FrameWriter writer = new FrameWriter(FrameKind.Status).Byte((byte)State).Int32(Pid).Int32(Clients).OptionalText(LogTrouble).Int32(Execs.Count);
        foreach (int pid in Execs)
        {
            writer.Int32(pid);
        }

        return writer;
    }

    internal static MonitorStatus Decode(ReadOnlySpan<byte> payload)
    {
        FrameReader reader = new(payload);
        ContainerState state = (ContainerState)reader.Byte();
        int pid = reader.Int32();
        int clients = reader.Int32();
        string? trouble = reader.OptionalText();
        List<int> execs = [];
        for (int count = reader.Int32(); count > 0; count--)
        {
            execs.Add(reader.Int32());
        }

        return new MonitorStatus(state, pid, clients, execs, trouble);
    }
}
