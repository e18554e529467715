using Hull.Kernel.Tests.Harness;

namespace Hull.Kernel.Tests.Networking;

/// <summary>busybox's nc and httpd, which the fixture image and this machine have.</summary>
internal static class Http
{
    /// <summary>A server at port 80 whose only page is "NAME saw ADDRESS", the client's.</summary>
    public const string Server = """
        mkdir -p /www/cgi-bin
        cat > /www/cgi-bin/who <<'end'
        #!/bin/sh
        echo
        a=${REMOTE_ADDR#[}
        a=${a%]}
        echo "$(hostname) saw ${a#::ffff:}"
        end
        chmod 755 /www/cgi-bin/who
        exec httpd -f -p 80 -h /www
        """;

    /// <summary>Where that page is.</summary>
    private const string Page = "/cgi-bin/who";

    /// <summary>A shell command that asks an address for that page, or another one, and waits some seconds at most. Not wget: a static one crashes where
    /// glibc's name services are missing.</summary>
    public static string Request(string address, int port, string page = Page) =>
        $"printf 'GET {page} HTTP/1.0\\r\\n\\r\\n' | busybox timeout 4 busybox nc -w 2 {address} {port}";

    /// <summary>The page that <see cref="Request"/> got; null where there was no answer.</summary>
    public static string? Read(RunResult answer)
    {
        int body = answer.Stdout.IndexOf("\r\n\r\n", StringComparison.Ordinal);
        body = body >= 0 ? body + 4 : answer.Stdout.IndexOf("\n\n", StringComparison.Ordinal);
        return body < 0 ? null : answer.Stdout[body..].Trim();
    }
}
