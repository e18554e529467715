namespace Hull.Networking.Ports;

/// <summary>Empty pipes for bytes under way: a connection that says nothing has none.</summary>
/// <remarks>Belongs to the loop's thread.</remarks>
internal sealed class RelayPipes
{
    /// <summary>Pipes kept for the next one who needs them.</summary>
    private const int MaxSpare = 4;

    private readonly Stack<RelayPipe> _spare = new();

    public int Spare => _spare.Count;

    /// <returns>Null where there are no descriptors for another one.</returns>
    public RelayPipe? TryRent() => _spare.TryPop(out RelayPipe? pipe) ? pipe : RelayPipe.TryMake();

    /// <param name="pipe">An empty one.</param>
    public void Return(RelayPipe pipe)
    {
        if (_spare.Count < MaxSpare)
        {
            _spare.Push(pipe);
        }
        else
        {
            pipe.Dispose();
        }
    }

    public void Clear()
    {
        while (_spare.TryPop(out RelayPipe? pipe))
        {
            pipe.Dispose();
        }
    }
}
