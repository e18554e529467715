namespace Hull.Oci;

/// <summary>A document that says something which cannot be carried out: where, and what is wrong.</summary>
/// <remarks>The message reads <c>linux.seccomp.syscalls[3].action: unknown action "SCMP_ACT_MAYBE"</c>.</remarks>
public sealed class SpecException : Exception
{
    /// <param name="path">The JSON path of the offending value.</param>
    /// <param name="problem">What is wrong, lower case, no full stop.</param>
    public SpecException(string path, string problem, Exception? inner = null)
        : base($"{path}: {problem}", inner)
    {
        Path = path;
    }

    /// <summary>The JSON path, such as <c>linux.seccomp.syscalls[3].action</c>.</summary>
    public string Path { get; }
}
