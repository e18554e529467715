using System.Collections.Concurrent;
using System.Net;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Hull.Kernel.Tests.Harness;

namespace Hull.Kernel.Tests;

/// <summary>Who gets a password, and over what: rows [G] of the corpus through the published binary.</summary>
public sealed class RegistryTrustTests(HullStore store) : KernelTest(store)
{
    [KernelFact(Needs.Registry)]
    public void PullAndPush_CertificatesButNoTls_NeverFallBackToHttp_CVE_2014_5277_CVE_2019_10214()
    {
        using X509Certificate2 certificate = RegistryServer.Certificate();
        using RegistryServer plain = new(Path.Combine(Store.Scratch, "registry"), Store.Scratch);
        using FaultyProxy proxy = new(plain.Port, _ => null);
        string certs = Path.Combine(Store.Scratch, "certs.d");
        Directory.CreateDirectory(Path.Combine(certs, proxy.Host));
        File.WriteAllText(Path.Combine(certs, proxy.Host, "ca.crt"), certificate.ExportCertificatePem());
        Store.Run("tag", Store.Busybox, $"{proxy.Host}/app:1").Ok();

        Store.Shell($"HULL_CERTS_DIR={certs} $HULL pull {proxy.Host}/app:1").Fails(1, $"{proxy.Host} is unreachable: TLS: ", "(does it speak https?)");
        Store.Shell($"HULL_CERTS_DIR={certs} $HULL push {proxy.Host}/app:1").Fails(1, $"{proxy.Host} is unreachable: TLS: ");
        Store.Shell($"echo secret | HULL_CERTS_DIR={certs} DOCKER_CONFIG={Store.Scratch} $HULL login -u alice --password-stdin {proxy.Host}").Fails(1, "unreachable: TLS: ");
        Assert.Empty(proxy.Requests);

        // The same registry without the certificates is loopback, where http is allowed.
        Store.Run("push", "-q", $"{proxy.Host}/app:1").Ok();
        Assert.NotEmpty(proxy.Requests);
    }

    [KernelFact(Needs.Root)]
    public void Pull_RedirectedToAnotherHost_TakesNoPasswordAlong_CVE_2020_15157_CVE_2026_33540()
    {
        ConcurrentQueue<string?> elsewhere = new();
        string other = $"127.0.0.1:{RegistryServer.FreePort()}";
        string registry = $"127.0.0.1:{RegistryServer.FreePort()}";
        using HttpListener stranger = Serve(other, context =>
        {
            elsewhere.Enqueue(context.Request.Headers["Authorization"]);
            // It asks, too.
            context.Response.Headers["WWW-Authenticate"] = "Basic realm=\"x\"";
            context.Response.StatusCode = 401;
        });
        using HttpListener listener = Serve(registry, context =>
        {
            bool isKnown = context.Request.Headers["Authorization"] is not null;
            context.Response.StatusCode = isKnown ? 307 : 401;
            context.Response.Headers[isKnown ? "Location" : "WWW-Authenticate"] = isKnown ? $"http://{other}/stolen" : "Basic realm=\"x\"";
        });
        string auth = Convert.ToBase64String(Encoding.UTF8.GetBytes("alice:secret"));
        Directory.CreateDirectory($"{Store.Scratch}/login");
        File.WriteAllText($"{Store.Scratch}/login/config.json", $$"""{"auths":{"{{registry}}":{"auth":"{{auth}}"},"{{other}}":{"auth":"{{auth}}"} } }""");

        string error = Store.Shell($"DOCKER_CONFIG={Store.Scratch}/login $HULL pull {registry}/app:1").Fails(1, $"pull access denied for {registry}/app");

        Assert.DoesNotContain(auth, error, StringComparison.Ordinal);
        Assert.NotEmpty(elsewhere);
        Assert.All(elsewhere, Assert.Null);
    }

    private static HttpListener Serve(string host, Action<HttpListenerContext> answer)
    {
        HttpListener listener = new();
        listener.Prefixes.Add($"http://{host}/");
        listener.Start();
        new Thread(() =>
        {
            try
            {
                while (true)
                {
                    HttpListenerContext context = listener.GetContext();
                    answer(context);
                    context.Response.Close();
                }
            }
            catch (Exception e) when (e is HttpListenerException or InvalidOperationException)
            {
                // Closed: the test is over.
            }
        })
        { IsBackground = true }.Start();
        return listener;
    }
}
