using System.Net;
using System.Net.Http.Headers;
using Hull.Oci.ImageSpec;

namespace Hull.Images.Registry;

/// <summary>The bytes of a blob as they come, exactly as many as its descriptor says. A connection that breaks is taken up
/// again where it ended (RFC 9110 section 14.2, Range), so that the reader sees one stream. Not thread-safe; read it on a
/// thread that may block.</summary>
/// <remarks>The digest is checked by whoever stores the bytes.</remarks>
internal sealed class BlobStream : Stream
{
    private readonly RegistryClient _client;
    private readonly Descriptor _descriptor;
    private readonly string _what;
    private readonly Action<long> _progress;
    private readonly Action<TimeSpan> _retrying;
    private readonly CancellationToken _cancel;
    private ResponseBody? _body;
    private long _position;
    private int _failures;
    private int _restarts;

    /// <param name="what">Names the blob in errors: <c>layer 0123456789ab</c>.</param>
    /// <param name="progress">Told the bytes so far after each read.</param>
    /// <param name="retrying">Told the wait before each further attempt.</param>
    /// <param name="start">The first byte wanted: an earlier attempt has those before.</param>
    public BlobStream(
        RegistryClient client,
        Descriptor descriptor,
        string what,
        Action<long> progress,
        Action<TimeSpan> retrying,
        CancellationToken cancel,
        long start = 0)
    {
        _position = start;
        _client = client;
        _descriptor = descriptor;
        _what = what;
        _progress = progress;
        _retrying = retrying;
        _cancel = cancel;
    }

    /// <summary>A server that gives a few bytes a connection is not followed for ever.</summary>
    private const int MaximumRestarts = 100;

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => _descriptor.Size;

    public override long Position { get => _position; set => throw new NotSupportedException(); }

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsMemory(offset, count));

    public override int Read(Span<byte> buffer)
    {
        byte[] bytes = System.Buffers.ArrayPool<byte>.Shared.Rent(buffer.Length);
        try
        {
            int n = Read(bytes.AsMemory(0, buffer.Length));
            bytes.AsSpan(0, n).CopyTo(buffer);
            return n;
        }
        finally
        {
            System.Buffers.ArrayPool<byte>.Shared.Return(bytes);
        }
    }

    public override void Flush()
    {
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            CloseBody();
        }

        base.Dispose(disposing);
    }

    private int Read(Memory<byte> buffer)
    {
        if (buffer.Length == 0 || _position == _descriptor.Size)
        {
            return 0;
        }

        while (true)
        {
            try
            {
                if (_body is null)
                {
                    Open();
                }

                int n = _body!.Read(buffer[..(int)Math.Min(buffer.Length, _descriptor.Size - _position)]);
                if (n > 0)
                {
                    _position += n;
                    _failures = 0;
                    _progress(_position);
                    if (_position == _descriptor.Size)
                    {
                        CheckEnd();
                    }

                    return n;
                }

                Fail(Truncated(null));
            }
            catch (RegistryException e) when (e.MayPass || (_position > 0 && e.Kind is RegistryError.Unreachable))
            {
                Fail(e.With($"{_what}: {e.Message}, after {_position} of {_descriptor.Size} bytes"));
            }
            catch (Exception e) when (e is IOException or HttpRequestException)
            {
                Fail(Truncated(e));
            }
            catch (OperationCanceledException e) when (!_cancel.IsCancellationRequested)
            {
                Fail(Stalled(e));
            }
        }
    }

    private void Open()
    {
        HttpResponseMessage response = _client.OpenBlobAsync(_descriptor, _position, _what, reconnects: false, _cancel).GetAwaiter().GetResult();
        _body = new ResponseBody(response, _client.SilenceLimit, _cancel);
        HttpContentHeaders headers = response.Content.Headers;
        long skip = 0;
        if (_position > 0)
        {
            bool resumed = response.StatusCode == HttpStatusCode.PartialContent;
            if (resumed && headers.ContentRange?.From != _position)
            {
                throw Broken($"{_what}: asked for bytes from {_position}, the registry sent {headers.ContentRange}");
            }

            // A server without ranges sends all of it again.
            skip = resumed ? 0 : _position;
        }

        long expected = _descriptor.Size - _position + skip;
        if (headers.ContentLength is long length && length != expected)
        {
            throw Broken(length < expected
                ? $"{_what} is truncated in the registry: {length} of {expected} bytes"
                : $"{_what}: size mismatch: the manifest says {expected} bytes, the registry sends {length}");
        }

        byte[] scratch = skip > 0 ? new byte[32 << 10] : [];
        while (skip > 0)
        {
            int n = _body.Read(scratch.AsMemory(0, (int)Math.Min(scratch.Length, skip)));
            if (n == 0)
            {
                throw new IOException("the answer ended early");
            }

            skip -= n;
        }
    }

    /// <summary>More bytes than the descriptor says are not a blob with a tail, but another blob.</summary>
    private void CheckEnd()
    {
        if (_body!.Response.Content.Headers.ContentLength is null && _body.Read(new byte[1]) != 0)
        {
            throw Broken($"{_what}: size mismatch: the manifest says {_descriptor.Size} bytes, the registry sends more");
        }
    }

    private void Fail(RegistryException error)
    {
        CloseBody();
        _cancel.ThrowIfCancellationRequested();
        if (++_failures >= _client.Retry.Attempts || ++_restarts > MaximumRestarts)
        {
            throw error;
        }

        TimeSpan wait = _client.Retry.After(_failures);
        _retrying(wait);
        if (_cancel.WaitHandle.WaitOne(wait))
        {
            _cancel.ThrowIfCancellationRequested();
        }
    }

    private RegistryException Truncated(Exception? inner) =>
        Ended(RegistryError.Corrupt, host => $"{_what} is truncated: {_position} of {_descriptor.Size} bytes came from {host}", inner);

    private RegistryException Stalled(Exception inner) => Ended(
        RegistryError.Unreachable,
        host => $"{_what} stalled after {_position} of {_descriptor.Size} bytes: {host} sent nothing {RegistryFailure.Silence(_client.SilenceLimit)}",
        inner);

    private RegistryException Ended(RegistryError kind, Func<string, string> message, Exception? inner)
    {
        Uri? url = _body?.Response.RequestMessage?.RequestUri;
        return new RegistryException(kind, message(url?.Authority ?? _client.Endpoint.Base.Authority), inner)
        {
            Method = "GET",
            Url = url is null ? null : RegistryException.Redact(url),
            Status = (int?)_body?.Response.StatusCode,
        };
    }

    private RegistryException Broken(string message) =>
        RegistryFailure.Of(RegistryError.Corrupt, _body!.Response.RequestMessage!, _body.Response, message);

    private void CloseBody()
    {
        _body?.Dispose();
        _body = null;
    }
}
