using System.Net;
using System.Net.Http.Headers;
using System.Text;

namespace Hull.Images.Registry;

/// <summary>The file at a URL as it comes, such as an archive to import. Redirects, proxies, authorities and the limit on silence are those of
/// registries. Not thread-safe; read it on a thread that may block.</summary>
/// <remarks>A connection that breaks is not taken up again: nothing says that the file is the same then.</remarks>
public sealed class UrlStream : Stream
{
    private readonly RegistryTransport _transport;
    private readonly CancellationToken _cancel;
    private readonly Action<long> _progress;
    private readonly ResponseBody _body;
    private readonly string _name;
    private long _position;

    private UrlStream(RegistryTransport transport, ResponseBody body, string name, Action<long> progress, CancellationToken cancel)
    {
        (_transport, _body, _name) = (transport, body, name);
        (_progress, _cancel) = (progress, cancel);
        Total = body.Response.Content.Headers.ContentLength;
    }

    /// <summary>How many bytes there are; null where the server does not say.</summary>
    public long? Total { get; }

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => throw new NotSupportedException();

    public override long Position { get => _position; set => throw new NotSupportedException(); }

    /// <summary>Whether hull fetches from there: http or https. Plain http is spoken to the host that was typed with it.</summary>
    public static bool Handles(Uri url) => url.Scheme == Uri.UriSchemeHttp || url.Scheme == Uri.UriSchemeHttps;

    /// <summary>The URL without what may be secret in it: user, password and query.</summary>
    public static string NameOf(Uri url) => RegistryException.Redact(url);

    /// <summary>Asks for the file.</summary>
    /// <param name="progress">Told the bytes so far after each read.</param>
    /// <param name="environmentVariable">Reads a variable: a proxy's; null for the process environment.</param>
    /// <exception cref="RegistryException">Unreachable, or refused; the message begins with the URL.</exception>
    public static UrlStream Open(
        Uri url, RegistrySettings settings, Action<long> progress, Func<string, string?>? environmentVariable = null, CancellationToken cancel = default)
    {
        // With its port: the same host's https is still verified.
        RegistrySettings allowed = url.Scheme == Uri.UriSchemeHttp
            ? settings with { InsecureRegistries = [.. settings.InsecureRegistries, $"{url.Host}:{url.Port}"] }
            : settings;
        RegistryTransport transport = new(allowed, environment: environmentVariable);
        try
        {
            HttpResponseMessage response = Redirects.FollowAsync(
                transport, () => new HttpRequestMessage(HttpMethod.Get, url), request => Authorize(request, url), cancel).GetAwaiter().GetResult();
            if (response.StatusCode == HttpStatusCode.OK)
            {
                return new UrlStream(transport, new ResponseBody(response, transport.SilenceLimit, cancel), NameOf(url), progress, cancel);
            }

            using (response)
            {
                throw RegistryFailure.From(response.RequestMessage!, response, [], NameOf(url));
            }
        }
        catch
        {
            transport.Dispose();
            throw;
        }
    }

    public override int Read(Span<byte> buffer)
    {
        byte[] bytes = System.Buffers.ArrayPool<byte>.Shared.Rent(buffer.Length);
        try
        {
            int n = Read(bytes, 0, buffer.Length);
            bytes.AsSpan(0, n).CopyTo(buffer);
            return n;
        }
        finally
        {
            System.Buffers.ArrayPool<byte>.Shared.Return(bytes);
        }
    }

    public override int Read(byte[] buffer, int offset, int count)
    {
        try
        {
            int n = _body.Read(buffer.AsMemory(offset, count));
            _position += n;
            _progress(_position);
            return n;
        }
        catch (Exception e) when (e is IOException or HttpRequestException)
        {
            throw Ended("the connection broke off", e);
        }
        catch (OperationCanceledException e) when (!_cancel.IsCancellationRequested)
        {
            throw Ended($"the server sent nothing {RegistryFailure.Silence(_transport.SilenceLimit)}", e);
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
            _body.Dispose();
            _transport.Dispose();
        }

        base.Dispose(disposing);
    }

    /// <summary>The user and password of a URL, for its own host alone.</summary>
    private static void Authorize(HttpRequestMessage request, Uri url)
    {
        if (url.UserInfo.Length > 0 && RegistryTransport.IsSameOrigin(url, request.RequestUri!))
        {
            request.Headers.Authorization = new AuthenticationHeaderValue(
                "Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes(Uri.UnescapeDataString(url.UserInfo))));
        }
    }

    private RegistryException Ended(string cause, Exception inner) =>
        new(RegistryError.Unreachable, $"{_name}: {cause}, after {_position}{(Total is { } total ? $" of {total}" : "")} bytes", inner)
        {
            Method = "GET",
            Url = _name,
            Status = (int)_body.Response.StatusCode,
        };
}
