namespace Hull.Engine.Monitor;

/// <summary>What a frame between a monitor and its clients carries. One connection is one conversation: its first frame
/// says which.</summary>
/// <remarks>
/// A frame is a header of 8 bytes (payload length u32, kind u8, three zero bytes; little endian, the peers share a machine)
/// and its payload. The socket is <c>monitor.sock</c> (mode 0600 in a directory 0700), or for the starter the socket pair
/// that the monitor was born with.
/// <code>
/// starter                      monitor        client                       monitor
///   │  (spawns it)                │              │ Attach(streams)            │
///   │ Start(container, streams)   │              │───────────────────────────▶│
///   │────────────────────────────▶│ lock, clone  │◀──────────── Attached / Failed
///   │◀───────── Started(pid) / Failed            │ Input* InputEnd Resize*    │
///   │ Input* InputEnd Resize*     │              │───────────────────────────▶│
///   │────────────────────────────▶│              │◀──── Output* ErrorOutput*  │
///   │◀──── Output* ErrorOutput*   │              │◀── Exited(code) / Detached(why)
///   │◀──── Exited(code)           │
///                                              client                       monitor
/// client                       monitor           │ Exec(process, streams)     │
///   │ Signal / Stop / Pause /     │              │───────────────────────────▶│
///   │ Unpause / Resize / Query    │              │◀────── Started(pid) / Failed
///   │────────────────────────────▶│              │ Input* InputEnd Resize* Signal*
///   │◀─ Done / Failed / Status    │              │───────────────────────────▶│
///   │                             │              │◀──── Output* ErrorOutput*  │
///   │ Wait(condition)             │              │◀──── Exited(code)          │
///   │────────────────────────────▶│
///   │◀──── Exited(code)           │              │ Freeze                     │
///                                              │───────────────────────────▶│
///                                              │◀──── Done; thaws when closed
/// </code>
/// A client that closes its end leaves the conversation; the container goes on. Stop is answered when the container has
/// ended. Back-pressure: the monitor holds at most <see cref="Frame.MaximumBacklog"/> bytes for a client and as many of its
/// input; beyond that it stops reading, the container's output or the client's frames, so a slow reader slows the payload as a pipe
/// does. A client that only attached (not the starter) and takes nothing for <see cref="Frame.PatienceSeconds"/> seconds
/// is cut off with Detached, so that it cannot stop the container and its log for ever.
/// </remarks>
public enum FrameKind : byte
{
    /// <summary>To a new monitor: run this container. <see cref="StartRequest"/>.</summary>
    Start = 1,
    /// <summary>Take part in the container's streams. <see cref="AttachRequest"/>.</summary>
    Attach = 2,
    /// <summary>A further process in the container. <see cref="ExecRequest"/>.</summary>
    Exec = 3,
    /// <summary>Tell me when it ends. u8 <see cref="WaitCondition"/>.</summary>
    Wait = 4,
    /// <summary>i32 signal: to init, or in an exec conversation to the exec's process. SIGKILL of init is answered when the
    /// container has ended.</summary>
    Signal = 5,
    /// <summary>i32 signal, i32 seconds until SIGKILL (below 0: never). Also ends the restart policy.</summary>
    Stop = 6,
    Pause = 7,
    Unpause = 8,
    /// <summary>u16 rows, u16 columns.</summary>
    Resize = 9,
    /// <summary>Asks for Status.</summary>
    Query = 10,
    /// <summary>Pauses until this conversation ends, however it does, or another unpauses: a client that is killed leaves no frozen
    /// container. Answered with Done when all stands still.</summary>
    Freeze = 11,

    /// <summary>Bytes for standard input.</summary>
    Input = 20,
    /// <summary>The client's standard input has ended.</summary>
    InputEnd = 21,
    /// <summary>Bytes of standard output, or of the terminal.</summary>
    Output = 22,
    /// <summary>Bytes of standard error.</summary>
    ErrorOutput = 23,

    /// <summary>i32 process id on the host, strings: notes for the user.</summary>
    Started = 40,
    Attached = 41,
    Done = 42,
    /// <summary>u8 <see cref="EngineErrorKind"/>, string.</summary>
    Failed = 43,
    /// <summary><see cref="ExitNotice"/>.</summary>
    Exited = 44,
    /// <summary>string: why the monitor ends the attachment.</summary>
    Detached = 45,
    /// <summary><see cref="MonitorStatus"/>.</summary>
    Status = 46,
}

/// <summary>What a Wait waits for.</summary>
public enum WaitCondition : byte
{
    /// <summary>The container has ended and its restart policy will not start it again.</summary>
    NotRunning,
    /// <summary>The current run ends, whether or not another follows.</summary>
    NextExit,
    /// <summary>The container is removed (--rm); of one without --rm, as NotRunning.</summary>
    Removed,
}

/// <summary>Which of a process's streams a client takes part in.</summary>
[Flags]
public enum AttachStreams : byte
{
    None = 0,
    Stdin = 1,
    Stdout = 2,
    Stderr = 4,
    All = Stdin | Stdout | Stderr,
}
