using System.Collections.Concurrent;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace Hull.Images.Tests.Registry;

/// <summary>What a client asked.</summary>
internal sealed record FakeRequest(string Method, string Path, string Query, IReadOnlyDictionary<string, string> Headers, byte[] Content)
{
    public string Body => Encoding.UTF8.GetString(Content);

    /// <summary>The connection was cut in the middle of the body; no answer will reach the client.</summary>
    public bool IsCut { get; init; }

    public string? Authorization => Headers.GetValueOrDefault("Authorization");

    public override string ToString() => $"{Method} {Path}";
}

/// <summary>What to answer.</summary>
internal sealed record FakeResponse(int Status, byte[] Body, string? ContentType = null)
{
    public Dictionary<string, string> Headers { get; } = [];

    /// <summary>Close the connection after so many bytes of the body.</summary>
    public int? CutAfter { get; init; }

    /// <summary>Keep the connection open, but send nothing after so many bytes of the body.</summary>
    public int? StallAfter { get; init; }

    /// <summary>Send the body without a Content-Length, ended by the close of the connection.</summary>
    public bool Unmeasured { get; init; }

    /// <summary>Close the connection instead of an answer.</summary>
    public bool Drop { get; init; }

    public static FakeResponse Text(int status, string body, string contentType = "application/json") =>
        new(status, Encoding.UTF8.GetBytes(body), contentType);

    public FakeResponse With(string header, string value)
    {
        Headers[header] = value;
        return this;
    }
}

/// <summary>An HTTP server on a loopback port that a test scripts, misbehaviour included: cut bodies, lies about length,
/// dropped connections. One thread a connection.</summary>
internal sealed class FakeServer : IDisposable
{
    // Not TcpListener: what that throws where it is disposed while it waits is nobody's to know.
    private readonly Socket _listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
    private readonly Func<FakeRequest, FakeResponse> _handle;
    private readonly X509Certificate2? _certificate;

    public FakeServer(Func<FakeRequest, FakeResponse> handle, X509Certificate2? certificate = null)
    {
        _handle = handle;
        _certificate = certificate;
        _listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        _listener.Listen();
        Thread accept = new(Accept) { IsBackground = true };
        accept.Start();
    }

    public int Port => ((IPEndPoint)_listener.LocalEndPoint!).Port;

    public string Authority => $"127.0.0.1:{Port}";

    /// <summary>All requests so far, in order of arrival.</summary>
    public ConcurrentQueue<FakeRequest> Requests { get; } = new();

    /// <summary>Told of each request's head: after how many bytes of the body the connection is cut; null for none.</summary>
    public Func<FakeRequest, int?> CutBody { get; set; } = _ => null;

    /// <summary>Connections accepted, those that never became a request included.</summary>
    public int Connections { get; private set; }

    /// <summary>The client's certificate of the last TLS connection.</summary>
    public string? ClientSubject { get; private set; }

    public void Dispose() => _listener.Dispose();

    private void Accept()
    {
        try
        {
            while (true)
            {
                TcpClient client = new() { Client = _listener.Accept() };
                Connections++;
                Thread serve = new(() => Serve(client)) { IsBackground = true };
                serve.Start();
            }
        }
        catch (Exception e) when (e is SocketException or InvalidOperationException)
        {
            // The listener was disposed: the test is over.
        }
    }

    private void Serve(TcpClient client)
    {
        using (client)
        {
            try
            {
                using Stream stream = Open(client);
                while (Read(stream) is FakeRequest request)
                {
                    Requests.Enqueue(request);
                    FakeResponse response = _handle(request);
                    if (request.IsCut || !Write(stream, request, response))
                    {
                        return;
                    }
                }
            }
            catch (Exception e) when (e is IOException or SocketException or System.Security.Authentication.AuthenticationException or InvalidDataException)
            {
                // The client went away or does not speak our protocol, as some tests want.
            }
        }
    }

    private Stream Open(TcpClient client)
    {
        if (_certificate is null)
        {
            return client.GetStream();
        }

#pragma warning disable CA5359 // The test looks at what certificate came.
        SslStream tls = new(client.GetStream(), false, (_, certificate, _, _) =>
        {
            ClientSubject = certificate?.Subject;
            return true;
        });
#pragma warning restore CA5359
        tls.AuthenticateAsServer(_certificate, clientCertificateRequired: true, checkCertificateRevocation: false);
        return tls;
    }

    private FakeRequest? Read(Stream stream)
    {
        StringBuilder head = new();
        while (!head.ToString().EndsWith("\r\n\r\n", StringComparison.Ordinal))
        {
            int b = stream.ReadByte();
            if (b < 0)
            {
                return null;
            }

            head.Append((char)b);
            if (head.Length == 1 && !char.IsAsciiLetterUpper((char)b))
            {
                throw new InvalidDataException("not HTTP");
            }
        }

        string[] lines = head.ToString().Split("\r\n", StringSplitOptions.RemoveEmptyEntries);
        Dictionary<string, string> headers = new(StringComparer.OrdinalIgnoreCase);
        foreach (string line in lines.Skip(1))
        {
            int colon = line.IndexOf(':', StringComparison.Ordinal);
            headers[line[..colon]] = line[(colon + 1)..].Trim();
        }

        string[] first = lines[0].Split(' ');
        string[] target = first[1].Split('?', 2);
        FakeRequest request = new(first[0], target[0], target.Length > 1 ? target[1] : "", headers, []);
        int? cut = CutBody(request);
        byte[] body = new byte[cut ?? (headers.TryGetValue("Content-Length", out string? length) ? int.Parse(length, null) : 0)];
        stream.ReadExactly(body);
        return request with { Content = body, IsCut = cut is not null };
    }

    private static bool Write(Stream stream, FakeRequest request, FakeResponse response)
    {
        if (response.Drop)
        {
            return false;
        }

        StringBuilder head = new($"HTTP/1.1 {response.Status} Status\r\n");
        if (!response.Unmeasured)
        {
            head.Append(null, $"Content-Length: {response.Body.Length}\r\n");
        }
        else
        {
            head.Append("Connection: close\r\n");
        }

        if (response.ContentType is not null)
        {
            head.Append(null, $"Content-Type: {response.ContentType}\r\n");
        }

        foreach ((string name, string value) in response.Headers)
        {
            head.Append(null, $"{name}: {value}\r\n");
        }

        stream.Write(Encoding.ASCII.GetBytes(head.Append("\r\n").ToString()));
        if (request.Method == "HEAD")
        {
            return true;
        }

        stream.Write(response.Body.AsSpan(0, response.StallAfter ?? response.CutAfter ?? response.Body.Length));
        stream.Flush();
        if (response.StallAfter is not null)
        {
            // Until the client has enough of it.
            _ = stream.ReadByte();
            return false;
        }

        return response.CutAfter is null && !response.Unmeasured;
    }
}
