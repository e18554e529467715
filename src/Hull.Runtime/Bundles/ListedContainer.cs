namespace Hull.Runtime.Bundles;

/// <summary>One container of <c>hull runtime list</c>.</summary>
/// <param name="Status">As the runtime spec words it: creating, created, running, stopped; paused where it is frozen.</param>
public sealed record ListedContainer(ContainerState State, string Status);
