using System.Text;
using Hull.Engine.Networks;
using Hull.Linux;
using Hull.Networking;
using Hull.Oci;
using Hull.Runtime;
using Hull.Runtime.Cgroups;

namespace Hull.Engine.Monitor;

/// <summary>Answers that more than one part of a monitor gives.</summary>
internal static class MonitorFrames
{
    public static FrameWriter Failed(EngineErrorKind kind, string text) => new FrameWriter(FrameKind.Failed).Byte((byte)kind).Text(text);

    public static FrameWriter Failed(EngineException error) => Failed(error.Kind, error.Message);

    /// <summary>An exception as the requester is to see it.</summary>
    public static EngineException AsFailure(Exception error) => error switch
    {
        EngineException engine => engine,
        ContainerException { Fault: ContainerFault.NotFound } => new EngineException(EngineErrorKind.CommandNotFound, error.Message, error),
        ContainerException { Fault: ContainerFault.CannotExecute } => new EngineException(EngineErrorKind.CannotExecute, error.Message, error),
        NetworkException network => NetworkFailure.Wrap(network),
        _ when IsFailure(error) => new EngineException(EngineErrorKind.System, error.Message, error),
        _ => new EngineException(EngineErrorKind.System, $"internal error in the container's monitor: {error.GetType().Name}: {error.Message}", error),
    };

    public static ReadOnlySpan<byte> Detached(string why)
    {
        byte[] text = Encoding.UTF8.GetBytes(why);
        byte[] frame = new byte[Frame.HeaderLength + text.Length];
        Frame.WriteHeader(frame, FrameKind.Detached, text.Length);
        text.CopyTo(frame, Frame.HeaderLength);
        return frame;
    }

    /// <summary>Whether an exception is an expected failure of a request, to be answered; others are defects.</summary>
    public static bool IsFailure(Exception error) =>
        error is EngineException or ContainerException or CgroupException or UserException or NetworkException or SpecException or SyscallException or InvalidDataException or IOException or UnauthorizedAccessException;
}
