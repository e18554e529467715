using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Hull.Images.Registry;

/// <summary>The certificates an administrator gave a registry: <c>certs.d/HOST:PORT/*.crt</c> are further authorities
/// beside the system's, <c>NAME.cert</c> with <c>NAME.key</c> is a client certificate.</summary>
internal sealed class CertificateDirectory
{
    private CertificateDirectory(string path, X509Certificate2Collection authorities, X509Certificate2? client)
    {
        Path = path;
        Authorities = authorities;
        Client = client;
    }

    public string Path { get; }

    public X509Certificate2Collection Authorities { get; }

    /// <summary>The first client pair by name; null for none.</summary>
    public X509Certificate2? Client { get; }

    /// <summary>The directory for <paramref name="authority"/> (<c>host:port</c>, or <c>host</c> where the port is 443);
    /// null where none of the <paramref name="roots"/> has one.</summary>
    /// <exception cref="RegistryException">Configuration: A file there is no PEM certificate or key.</exception>
    public static CertificateDirectory? Find(IEnumerable<string> roots, string authority)
    {
        foreach (string root in roots)
        {
            string path = System.IO.Path.Combine(root, authority);
            if (Directory.Exists(path))
            {
                return Read(path);
            }
        }

        return null;
    }

    /// <summary>Whether the peer's certificate is good: by the system's authorities, else by ours, the name in any case.</summary>
    public bool Accepts(X509Certificate? certificate, X509Chain? chain, SslPolicyErrors errors)
    {
        if (errors != SslPolicyErrors.RemoteCertificateChainErrors || Authorities.Count == 0 || certificate is not X509Certificate2 leaf)
        {
            return errors == SslPolicyErrors.None;
        }

        using X509Chain own = new();
        own.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        own.ChainPolicy.CustomTrustStore.AddRange(Authorities);
        own.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        own.ChainPolicy.ApplicationPolicy.Add(new Oid("1.3.6.1.5.5.7.3.1"));   // serverAuth
        foreach (X509ChainElement element in chain?.ChainElements ?? Enumerable.Empty<X509ChainElement>())
        {
            own.ChainPolicy.ExtraStore.Add(element.Certificate);
        }

        return own.Build(leaf);
    }

    private static CertificateDirectory Read(string path)
    {
        X509Certificate2Collection authorities = [];
        X509Certificate2? client = null;
        foreach (string file in Directory.EnumerateFiles(path).Order(StringComparer.Ordinal))
        {
            try
            {
                if (file.EndsWith(".crt", StringComparison.Ordinal))
                {
                    authorities.ImportFromPemFile(file);
                }
                else if (file.EndsWith(".cert", StringComparison.Ordinal))
                {
                    client ??= X509Certificate2.CreateFromPemFile(file, System.IO.Path.ChangeExtension(file, ".key"));
                }
            }
            catch (Exception e) when (e is CryptographicException or FileNotFoundException)
            {
                throw new RegistryException(RegistryError.Configuration, $"{file}: not a usable PEM certificate: {e.Message}", e);
            }
        }

        return new CertificateDirectory(path, authorities, client);
    }
}
