using Hull.Linux;
using Hull.Runtime;
using Microsoft.Win32.SafeHandles;

namespace Hull.Engine.Monitor;

/// <summary>Both ends of a process's standard streams before it starts. Disposing closes the child's, and those of ours that
/// nobody has taken.</summary>
internal sealed class StreamEnds : IDisposable
{
    private SafeFileHandle? _input;
    private SafeFileHandle? _output;
    private SafeFileHandle? _error;

    private StreamEnds()
    {
    }

    /// <summary>What becomes 0, 1 and 2 of the process; null where a terminal does.</summary>
    public StandardStreams? Child { get; private init; }

    /// <summary>For a process with a terminal.</summary>
    public static StreamEnds None() => new();

    /// <summary>Pipes for output and error; for input a pipe or /dev/null.</summary>
    public static StreamEnds Open(bool input)
    {
        (SafeFileHandle outputRead, SafeFileHandle outputWrite) = Descriptors.Pipe();
        (SafeFileHandle errorRead, SafeFileHandle errorWrite) = Descriptors.Pipe();
        (SafeFileHandle Read, SafeFileHandle Write)? inputPipe = input ? Descriptors.Pipe() : null;
        return new StreamEnds
        {
            Child = new StandardStreams(inputPipe?.Read ?? Nothing(OpenFlags.ReadOnly), outputWrite, errorWrite),
            _input = inputPipe?.Write,
            _output = outputRead,
            _error = errorRead,
        };
    }

    /// <summary>For a detached exec: everything is /dev/null.</summary>
    public static StreamEnds Detached() => new()
    {
        Child = new StandardStreams(Nothing(OpenFlags.ReadOnly), Nothing(OpenFlags.WriteOnly), Nothing(OpenFlags.WriteOnly)),
    };

    public SafeFileHandle? TakeInput() => Take(ref _input);

    public SafeFileHandle? TakeOutput() => Take(ref _output);

    public SafeFileHandle? TakeError() => Take(ref _error);

    public void Dispose()
    {
        Child?.Input.Dispose();
        Child?.Output.Dispose();
        Child?.Error.Dispose();
        _input?.Dispose();
        _output?.Dispose();
        _error?.Dispose();
    }

    private static SafeFileHandle Nothing(OpenFlags access) => Files.Open("/dev/null", access);

    private static SafeFileHandle? Take(ref SafeFileHandle? handle)
    {
        SafeFileHandle? taken = handle;
        handle = null;
        return taken;
    }
}
