namespace Hull.Linux.Tests;

public sealed class UndoTests
{
    private sealed class Item(Action disposed) : IDisposable
    {
        public void Dispose() => disposed();
    }

    private static List<string> Run(bool commit)
    {
        List<string> done = [];
        using (Undo undo = new(error => done.Add($"left: {error.Message}")))
        {
            undo.Push(() => done.Add("first"));
            undo.Own(new Item(() => done.Add("owned")));
            undo.Push(() => throw new InvalidOperationException("stuck"));
            undo.Push(() => done.Add("last"));
            if (commit)
            {
                undo.Commit();
            }
        }

        return done;
    }

    [Fact]
    public void Dispose_NotCommitted_RunsEverythingInReverseAndTellsWhatIsLeft() => Assert.Equal(["last", "left: stuck", "owned", "first"], Run(commit: false));

    [Fact]
    public void Dispose_Committed_DisposesWhatItOwns() => Assert.Equal(["owned"], Run(commit: true));
}
