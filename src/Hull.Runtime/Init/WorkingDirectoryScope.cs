namespace Hull.Runtime.Init;

/// <summary>Another current directory until this is disposed; a child cloned meanwhile starts there.</summary>
internal sealed class WorkingDirectoryScope : IDisposable
{
    private readonly string _before = Directory.GetCurrentDirectory();

    public WorkingDirectoryScope(string directory) => Directory.SetCurrentDirectory(directory);

    public void Dispose() => Directory.SetCurrentDirectory(_before);
}
