using Microsoft.Win32.SafeHandles;

namespace Hull.Engine.Monitor;

/// <summary>A started process of the container and the monitor's ends of its streams. Owns the descriptors.</summary>
internal sealed class Payload : IDisposable
{
    /// <summary>On the host.</summary>
    public required int Pid { get; init; }

    /// <summary>Readable when the process has ended; a child of the monitor.</summary>
    public required SafeFileHandle PidFd { get; init; }

    /// <summary>The pseudo-terminal's master; the three pipes are null then.</summary>
    public SafeFileHandle? Terminal { get; init; }

    /// <summary>Writing end; null where standard input is /dev/null.</summary>
    public SafeFileHandle? Input { get; init; }

    /// <summary>Reading end; null where the output is dropped.</summary>
    public SafeFileHandle? Output { get; init; }

    /// <summary>Reading end; null where the output is dropped.</summary>
    public SafeFileHandle? Error { get; init; }

    /// <summary>Sentences for the user on how the start differs from what was asked for.</summary>
    public IReadOnlyList<string> Notes { get; init; } = [];

    public void Dispose()
    {
        PidFd.Dispose();
        Terminal?.Dispose();
        Input?.Dispose();
        Output?.Dispose();
        Error?.Dispose();
    }
}
