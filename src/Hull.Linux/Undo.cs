namespace Hull.Linux;

/// <summary>Inverses of steps that have succeeded; run in reverse on disposal unless committed.</summary>
/// <remarks>An undo that fails is remembered in <see cref="Failures"/> and never replaces the first error.</remarks>
public sealed class Undo : IDisposable
{
    private readonly Stack<Action> _actions = new();
    private readonly List<Exception> _failures = [];

    /// <summary>What could not be undone.</summary>
    public IReadOnlyList<Exception> Failures => _failures;

    public void Push(Action inverse) => _actions.Push(inverse);

    /// <summary>All went well: nothing is undone.</summary>
    public void Commit() => _actions.Clear();

    public void Dispose()
    {
        while (_actions.TryPop(out Action? inverse))
        {
            try
            {
                inverse();
            }
            catch (Exception error) when (error is not OutOfMemoryException)
            {
                _failures.Add(error);
            }
        }
    }
}
