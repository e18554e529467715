using System.Net;

namespace Hull.Kernel.Tests.Harness;

/// <summary>A reverse proxy on a loopback port before a registry that takes no request longer than a limit, as nginx with its
/// <c>client_max_body_size</c>.</summary>
internal sealed class LimitingProxy : IDisposable
{
    private readonly HttpListener _listener = new();
    private readonly HttpClient _client = new(new SocketsHttpHandler { AllowAutoRedirect = false });
    private readonly int _target;
    private readonly long _limit;

    public LimitingProxy(int target, long limit)
    {
        _target = target;
        _limit = limit;
        Host = $"127.0.0.1:{RegistryServer.FreePort()}";
        _listener.Prefixes.Add($"http://{Host}/");
        _listener.Start();
        new Thread(Serve) { IsBackground = true }.Start();
    }

    public string Host { get; }

    /// <summary>Requests that were too long.</summary>
    public int Refused { get; private set; }

    public void Dispose()
    {
        _listener.Close();
        _client.Dispose();
    }

    private void Serve()
    {
        try
        {
            while (true)
            {
                HttpListenerContext context = _listener.GetContext();
                using MemoryStream body = new();
                context.Request.InputStream.CopyTo(body);
                Answer(context, body.ToArray());
            }
        }
        catch (Exception e) when (e is HttpListenerException or InvalidOperationException)
        {
            // Closed: the test is over.
        }
    }

    private void Answer(HttpListenerContext context, byte[] body)
    {
        if (body.Length > _limit)
        {
            Refused++;
            context.Response.StatusCode = 413;
            context.Response.Close("<html><head><title>413 Request Entity Too Large</title></head></html>"u8.ToArray(), false);
            return;
        }

        using HttpRequestMessage request = new(new HttpMethod(context.Request.HttpMethod), $"http://127.0.0.1:{_target}{context.Request.RawUrl}");
        request.Headers.Host = context.Request.UserHostName;
        if (body.Length > 0 || context.Request.HttpMethod is "PUT" or "PATCH" or "POST")
        {
            request.Content = new ByteArrayContent(body);
        }

        foreach (string name in context.Request.Headers.AllKeys.OfType<string>().Where(name => name is "Accept" or "Content-Type" or "Content-Range" or "Range"))
        {
            string value = context.Request.Headers[name]!;
            _ = request.Headers.TryAddWithoutValidation(name, value) || request.Content!.Headers.TryAddWithoutValidation(name, value);
        }

        using HttpResponseMessage response = _client.Send(request);
        context.Response.StatusCode = (int)response.StatusCode;
        foreach ((string name, IEnumerable<string> values) in response.Headers.Concat(response.Content.Headers))
        {
            if (name == "Content-Length")
            {
                context.Response.ContentLength64 = response.Content.Headers.ContentLength!.Value;
            }
            else if (name != "Transfer-Encoding")
            {
                context.Response.Headers[name] = string.Join(", ", values);
            }
        }

        if (context.Request.HttpMethod != "HEAD")
        {
            response.Content.ReadAsStream().CopyTo(context.Response.OutputStream);
        }

        context.Response.Close();
    }
}
