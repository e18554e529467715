using Hull.Engine;
using Hull.Images;
using Microsoft.Win32.SafeHandles;

namespace Hull.Cli;

/// <summary>What one call of hull works with: its streams, its store, its global flags.</summary>
/// <remarks>Made once a process; tests make their own with string writers. Not thread-safe.</remarks>
internal sealed class CliContext
{
    private static readonly string[] Levels = ["debug", "info", "warn", "error", "fatal"];

    private HullPaths? _paths;
    private ImageStore? _images;
    private Hull.Engine.Engine? _engine;

    /// <summary>Data, and nothing else.</summary>
    public required TextWriter Output { get; init; }

    /// <summary>Everything that is not data.</summary>
    public required TextWriter Error { get; init; }

    /// <summary>Standard input, output and error as descriptors.</summary>
    public SafeFileHandle StandardInput { get; init; } = new(0, ownsHandle: false);

    public SafeFileHandle StandardOutput { get; init; } = new(1, ownsHandle: false);

    public SafeFileHandle StandardError { get; init; } = new(2, ownsHandle: false);

    public string? DataRoot { get; set; }

    public string? ExecRoot { get; set; }

    /// <summary>Details of failures go to standard error.</summary>
    public bool Debug { get; set; }

    public string LogLevel { get; private set; } = "info";

    /// <summary>Reads a variable of the caller.</summary>
    public Func<string, string?> Environment { get; init; } = System.Environment.GetEnvironmentVariable;

    public HullPaths Paths => _paths ??= HullPaths.Resolve(DataRoot, ExecRoot);

    /// <summary>The engine over the store, made on first use.</summary>
    public Hull.Engine.Engine Engine => _engine ??= new Hull.Engine.Engine(Checked(Paths), Warn);

    /// <summary>The images of the store; opening it makes no system call.</summary>
    public ImageStore Images => _images ??= ImageStore.Open(Checked(Paths).DataRoot);

    public DateTimeOffset Now { get; init; } = DateTimeOffset.UtcNow;

    /// <exception cref="Parsing.UsageException">Not one of docker's levels.</exception>
    public void SetLogLevel(string level)
    {
        LogLevel = Array.IndexOf(Levels, level) >= 0
            ? level
            : throw new Parsing.UsageException($"Unable to parse logging level: {level}") { ExitCode = 1 };
        Debug |= level == "debug";
    }

    private void Warn(string sentence) => Error.WriteLine($"WARNING: {sentence}");

    /// <summary>Every way to the store begins here.</summary>
    private static HullPaths Checked(HullPaths paths)
    {
        RequireRoot();
        return paths;
    }

    /// <summary>Refuses a user who cannot work on the store, before it is touched.</summary>
    /// <exception cref="EngineException">Not root.</exception>
    public static void RequireRoot()
    {
        if (!System.Environment.IsPrivilegedProcess)
        {
            throw new EngineException(
                EngineErrorKind.Forbidden,
                "hull needs root: it makes namespaces, mounts and cgroups of the host. Run it with sudo, or as root");
        }
    }
}
