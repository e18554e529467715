namespace Hull.Engine.Containers;

/// <summary>The portable half of a container: what runs, as whom, with which environment. In a request null means "as the
/// image says"; in a <see cref="ContainerConfig"/> image and request are merged. Docker's API calls it Config.</summary>
public sealed record PayloadConfig
{
    /// <summary>Null: the image's. Empty, or one empty string: none, and the image's command is dropped with it.</summary>
    public IReadOnlyList<string>? Entrypoint { get; init; }
    /// <summary>Null or empty: the image's, unless an entrypoint is given.</summary>
    public IReadOnlyList<string>? Command { get; init; }
    /// <summary><c>KEY=value</c>; a later entry of a key wins. <c>KEY</c> alone removes what the image sets (the command line
    /// has replaced it by the caller's own value where there is one).</summary>
    public IReadOnlyList<string>? Env { get; init; }
    public string? WorkingDirectory { get; init; }
    /// <summary><c>user[:group]</c>, names or numbers; looked up in the rootfs at each start.</summary>
    public string? User { get; init; }
    public string? Hostname { get; init; }
    public string? Domainname { get; init; }
    public IReadOnlyDictionary<string, string>? Labels { get; init; }
    /// <summary>A pseudo terminal for standard input, output and error.</summary>
    public bool Tty { get; init; }
    /// <summary>Keep standard input open though nobody is attached (-i).</summary>
    public bool OpenStdin { get; init; }
    /// <summary>Close standard input for good when the first attached client leaves.</summary>
    public bool StdinOnce { get; init; }
    public bool AttachStdin { get; init; }
    public bool AttachStdout { get; init; }
    public bool AttachStderr { get; init; }
    /// <summary>Name or number; null: the image's, else SIGTERM.</summary>
    public string? StopSignal { get; init; }
    /// <summary>Seconds between the stop signal and SIGKILL; null: 10; negative: wait for ever.</summary>
    public int? StopTimeout { get; init; }
    /// <summary>Paths that the image declares as VOLUMEs.</summary>
    public IReadOnlyList<string>? Volumes { get; init; }
    /// <summary><c>80/tcp</c>.</summary>
    public IReadOnlyList<string>? ExposedPorts { get; init; }
}
