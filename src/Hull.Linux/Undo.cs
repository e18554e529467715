namespace Hull.Linux;

/// <summary>What a sequence of steps has made so far: inverses, which are run in reverse on disposal unless committed, and objects,
/// which are disposed in their turn in any case.</summary>
/// <param name="left">Takes what could not be undone: it never replaces the first error, and never goes unsaid.</param>
public sealed class Undo(Action<Exception> left) : IDisposable
{
    private readonly Stack<(Action Inverse, bool Always)> _actions = new();
    private bool _committed;

    public void Push(Action inverse) => _actions.Push((inverse, false));

    /// <summary>Takes ownership: it stays until everything that was made after it is undone.</summary>
    public T Own<T>(T item)
        where T : class, IDisposable
    {
        _actions.Push((item.Dispose, true));
        return item;
    }

    /// <summary>All went well: nothing is undone.</summary>
    public void Commit() => _committed = true;

    public void Dispose()
    {
        while (_actions.TryPop(out (Action Inverse, bool Always) action))
        {
            if (_committed && !action.Always)
            {
                continue;
            }

            try
            {
                action.Inverse();
            }
            catch (Exception error) when (error is not OutOfMemoryException)
            {
                // Of whatever kind: the inverses of the steps before are owed all the same.
                left(error);
            }
        }
    }
}
