namespace Hull.Runtime;

/// <summary>Who is to blame for a container that did not start; the number is the exit code of <c>run</c>.</summary>
public enum ContainerFault
{
    /// <summary>The engine or the host: a mount, a cgroup, a bad spec.</summary>
    Engine = 125,

    /// <summary>The command is there but cannot be executed.</summary>
    CannotExecute = 126,

    /// <summary>The command is not there.</summary>
    NotFound = 127,
}

/// <summary>A container or exec that could not be started, in words that say what to do.</summary>
public sealed class ContainerException : Exception
{
    public ContainerException(ContainerFault fault, string message, Exception? inner = null)
        : base(message, inner) => Fault = fault;

    public ContainerFault Fault { get; }
}
