namespace Hull.Images.Registry;

/// <summary>The body of an answer as it comes, with a limit on how long the peer is silent. Owns the answer. Not thread-safe; read it on a
/// thread that may block.</summary>
internal sealed class ResponseBody : IDisposable
{
    private readonly Stream _content;
    private readonly CancellationTokenSource _limited;
    private readonly TimeSpan _silence;

    public ResponseBody(HttpResponseMessage response, TimeSpan silence, CancellationToken cancel)
    {
        Response = response;
        _silence = silence;
        _content = response.Content.ReadAsStream(cancel);
        _limited = CancellationTokenSource.CreateLinkedTokenSource(cancel);
    }

    public HttpResponseMessage Response { get; }

    /// <returns>How many bytes were read; 0 at the end, or where the connection ended and no length was announced.</returns>
    /// <exception cref="OperationCanceledException">Cancelled, or silent for too long.</exception>
    /// <exception cref="IOException">The connection broke.</exception>
    public int Read(Memory<byte> buffer)
    {
        _limited.CancelAfter(_silence);
        ValueTask<int> read = _content.ReadAsync(buffer, _limited.Token);
        return read.IsCompletedSuccessfully ? read.Result : read.AsTask().GetAwaiter().GetResult();
    }

    public void Dispose()
    {
        _content.Dispose();
        Response.Dispose();
        _limited.Dispose();
    }
}
