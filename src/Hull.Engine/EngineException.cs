namespace Hull.Engine;

/// <summary>What kind of failure an <see cref="EngineException"/> reports. The API maps it to a status code, the command line to an exit code.</summary>
public enum EngineErrorKind
{
    /// <summary>What was asked for makes no sense or cannot be combined (HTTP 400).</summary>
    Invalid,
    /// <summary>No such container, image or volume (HTTP 404).</summary>
    NotFound,
    /// <summary>Name in use, or the object's state forbids it (HTTP 409).</summary>
    Conflict,
    /// <summary>Already in the state asked for (HTTP 304); the command line takes it for a success.</summary>
    NotModified,
    /// <summary>The kernel or the host refuses this user (HTTP 403).</summary>
    Forbidden,
    /// <summary>The host lacks what is needed: a controller, a filesystem, a kernel version (HTTP 501).</summary>
    Unsupported,
    /// <summary>The payload's program exists and cannot be executed: exit code 126 (HTTP 400).</summary>
    CannotExecute,
    /// <summary>The payload's program does not exist: exit code 127 (HTTP 400).</summary>
    CommandNotFound,
    /// <summary>Anything else that failed (HTTP 500).</summary>
    System,
}

/// <summary>A failed operation of the engine, with words that a person can act on.</summary>
public sealed class EngineException : Exception
{
    public EngineException(EngineErrorKind kind, string message, Exception? inner = null)
        : base(message, inner) => Kind = kind;

    public EngineErrorKind Kind { get; }

    /// <summary>Exit code of <c>run</c>, <c>create</c>, <c>start</c> and <c>exec</c> for this failure, as Docker has them:
    /// 126 cannot execute, 127 not found, 125 everything that is the engine's.</summary>
    public int RunExitCode => Kind switch
    {
        EngineErrorKind.CannotExecute => 126,
        EngineErrorKind.CommandNotFound => 127,
        _ => 125,
    };

    public static EngineException Invalid(string message, Exception? inner = null) => new(EngineErrorKind.Invalid, message, inner);

    public static EngineException NotFound(string message) => new(EngineErrorKind.NotFound, message);

    public static EngineException Conflict(string message) => new(EngineErrorKind.Conflict, message);

    public static EngineException Unsupported(string message) => new(EngineErrorKind.Unsupported, message);

    /// <exception cref="EngineException">Unsupported, where the condition holds.</exception>
    public static void ThrowUnsupportedIf(bool condition, string message)
    {
        if (condition)
        {
            throw Unsupported(message);
        }
    }
}
