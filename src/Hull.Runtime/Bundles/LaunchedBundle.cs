namespace Hull.Runtime.Bundles;

/// <summary>A bundle's container in the process that made it, whole but for its start.</summary>
/// <param name="Container">Owned by the launch's <see cref="Linux.Undo"/>.</param>
/// <param name="State">As it was saved.</param>
internal sealed record LaunchedBundle(RunningContainer Container, ContainerState State);
