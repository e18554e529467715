namespace Hull.Images.Registry;

/// <summary>Docker's lines for outputs that are no terminal: one a phase, without numbers, each written out at once.</summary>
public sealed class PlainTransferProgress(TextWriter output) : ITransferProgress
{
    private readonly Dictionary<string, TransferPhase> _last = [];

    public void Message(string line)
    {
        output.WriteLine(line);
        output.Flush();
    }

    public void Layer(LayerProgress progress)
    {
        // As docker: what only moves a bar is not worth a line.
        if (progress.IsMoving || progress.Phase == TransferPhase.Waiting
            || (_last.TryGetValue(progress.Layer, out TransferPhase last) && last == progress.Phase && progress.Phase != TransferPhase.Retrying))
        {
            return;
        }

        _last[progress.Layer] = progress.Phase;
        Message($"{progress.Layer}: {progress.Text}");
    }
}

/// <summary>Says nothing: <c>--quiet</c>.</summary>
public sealed class SilentTransferProgress : ITransferProgress
{
    public void Message(string line)
    {
    }

    public void Layer(LayerProgress progress)
    {
    }
}
