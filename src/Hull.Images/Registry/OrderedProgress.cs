namespace Hull.Images.Registry;

/// <summary>Lets one call at a time through to the caller's progress.</summary>
internal sealed class OrderedProgress(ITransferProgress inner) : ITransferProgress
{
    private readonly Lock _gate = new();

    public void Message(string line)
    {
        lock (_gate)
        {
            inner.Message(line);
        }
    }

    public void Layer(LayerProgress progress)
    {
        lock (_gate)
        {
            inner.Layer(progress);
        }
    }
}
