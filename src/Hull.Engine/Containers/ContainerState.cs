namespace Hull.Engine.Containers;

/// <summary>A container's state, in Docker's words.</summary>
public enum ContainerState
{
    /// <summary>Never started.</summary>
    Created,
    Running,
    Paused,
    /// <summary>Ended; its monitor waits for the back-off of the restart policy.</summary>
    Restarting,
    Exited,
    /// <summary>A removal failed half-way; only removing it again makes sense.</summary>
    Dead,
}

/// <summary>The words of <see cref="ContainerState"/> as records, <c>ps</c> and <c>inspect</c> show them.</summary>
public static class ContainerStateNames
{
    public static string Name(this ContainerState state) => state switch
    {
        ContainerState.Created => "created",
        ContainerState.Running => "running",
        ContainerState.Paused => "paused",
        ContainerState.Restarting => "restarting",
        ContainerState.Exited => "exited",
        ContainerState.Dead => "dead",
        _ => throw new ArgumentOutOfRangeException(nameof(state)),
    };

    public static bool TryParse(string? text, out ContainerState state)
    {
        for (state = ContainerState.Created; state <= ContainerState.Dead; state++)
        {
            if (state.Name() == text)
            {
                return true;
            }
        }

        state = default;
        return false;
    }

    /// <summary>Whether a process of the container may live: running, paused, or about to be restarted.</summary>
    public static bool IsLive(this ContainerState state) =>
        state is ContainerState.Running or ContainerState.Paused or ContainerState.Restarting;
}
