using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace Hull.Kernel.Tests.Harness;

/// <summary>A token server for docker-registry's <c>auth: token</c>: whoever has the password may do what the scopes
/// say, anybody else gets 401.</summary>
internal sealed class TokenServer : IDisposable
{
    private const string Issuer = "hull-test";
    private const string Service = "registry-under-test";
    private readonly HttpListener _listener = new();
    private readonly X509Certificate2 _certificate = RegistryServer.Certificate();
    private readonly string _url;

    public TokenServer(string scratch)
    {
        _url = $"http://127.0.0.1:{RegistryServer.FreePort()}/token/";
        string bundle = Path.Combine(scratch, "token.crt");
        File.WriteAllText(bundle, _certificate.ExportCertificatePem());
        Settings = $"auth: {{token: {{realm: \"{_url}\", service: {Service}, issuer: {Issuer}, rootcertbundle: {bundle}}}}}";
        _listener.Prefixes.Add(_url);
        _listener.Start();
        Thread thread = new(Serve) { IsBackground = true };
        thread.Start();
    }

    /// <summary>The section for the registry's configuration.</summary>
    public string Settings { get; }

    /// <summary>Tokens given.</summary>
    public int Given { get; private set; }

    public void Dispose()
    {
        _listener.Close();
        _certificate.Dispose();
    }

    private void Serve()
    {
        try
        {
            while (true)
            {
                HttpListenerContext context = _listener.GetContext();
                Answer(context);
            }
        }
        catch (Exception e) when (e is HttpListenerException or ObjectDisposedException)
        {
            // Closed: the test is over.
        }
    }

    private void Answer(HttpListenerContext context)
    {
        string expected = "Basic " + Convert.ToBase64String(Encoding.UTF8.GetBytes($"{RegistryServer.User}:{RegistryServer.Password}"));
        if (context.Request.Headers["Authorization"] != expected)
        {
            context.Response.StatusCode = 401;
            context.Response.Close("""{"details":"incorrect username or password"}"""u8.ToArray(), true);
            return;
        }

        Given++;
        context.Response.Close(
            Encoding.UTF8.GetBytes($$"""{"token":"{{Sign(context.Request.QueryString.GetValues("scope") ?? [])}}","expires_in":300}"""), true);
    }

    /// <summary>A JWT that carries its certificate (x5c), which the registry checks against its bundle.</summary>
    private string Sign(string[] scopes)
    {
        string access = string.Join(',', scopes.Select(scope => scope.Split(':')).Select(parts =>
            $$"""{"type":"repository","name":"{{parts[1]}}","actions":[{{string.Join(',', parts[2].Split(',').Select(action => $"\"{action}\""))}}]}"""));
        long now = DateTimeOffset.UtcNow.ToUnixTimeSeconds();
        string header = $$"""{"typ":"JWT","alg":"RS256","x5c":["{{Convert.ToBase64String(_certificate.RawData)}}"]}""";
        string claims = $$"""
            {"iss":"{{Issuer}}","sub":"{{RegistryServer.User}}","aud":"{{Service}}","exp":{{now + 300}},"nbf":{{now - 60}},"iat":{{now}},"jti":"{{Given}}","access":[{{access}}]}
            """;
        string text = $"{Encode(Encoding.UTF8.GetBytes(header))}.{Encode(Encoding.UTF8.GetBytes(claims))}";
        using RSA key = _certificate.GetRSAPrivateKey()!;
        return $"{text}.{Encode(key.SignData(Encoding.ASCII.GetBytes(text), HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1))}";
    }

    private static string Encode(byte[] bytes) => Convert.ToBase64String(bytes).TrimEnd('=').Replace('+', '-').Replace('/', '_');
}
