namespace Hull.Images.Registry;

/// <summary>Docker's lines for outputs that are no terminal: one a phase, without numbers.</summary>
public sealed class PlainPullProgress(TextWriter output) : IPullProgress
{
    private readonly Dictionary<string, PullPhase> _last = [];

    public void Message(string line) => output.WriteLine(line);

    public void Layer(LayerProgress progress)
    {
        // As docker: what only moves a bar is not worth a line.
        if (progress.Phase is PullPhase.Downloading or PullPhase.Extracting or PullPhase.Waiting
            || (_last.TryGetValue(progress.Layer, out PullPhase last) && last == progress.Phase && progress.Phase != PullPhase.Retrying))
        {
            return;
        }

        _last[progress.Layer] = progress.Phase;
        output.WriteLine($"{progress.Layer}: {progress.Text}");
    }
}

/// <summary>Says nothing: <c>--quiet</c>.</summary>
public sealed class SilentPullProgress : IPullProgress
{
    public void Message(string line)
    {
    }

    public void Layer(LayerProgress progress)
    {
    }
}
