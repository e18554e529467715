using Hull.Images.Registry;
using Hull.Oci;
using Hull.Oci.ImageSpec;

namespace Hull.Images.Tests.Registry;

/// <summary>A client on a fake registry, with short waits.</summary>
internal sealed class ClientFixture : IDisposable
{
    private readonly RegistryTransport _transport;

    public ClientFixture(
        string reference, Uri? @base = null, RegistrySettings? settings = null, ConnectStream? connect = null, string? dockerConfig = null,
        Func<string, string, CredentialHelperResult>? helper = null, TimeSpan? silence = null)
    {
        Reference = ImageReference.Parse(reference);
        RegistrySettings used = settings ?? FakeRegistry.Settings;
        _transport = new RegistryTransport(used, connect, _ => null) { SilenceLimit = silence ?? TimeSpan.FromSeconds(10) };
        RegistryEndpoint endpoint = new(@base ?? new Uri($"http://{Reference.Domain}/"), Reference.Domain, IsMirror: false);
        Client = new RegistryClient(
            new RegistrySession(
                _transport,
                used,
                new CredentialStore(dockerConfig, helper),
                endpoint,
                new RetryPolicy(3, TimeSpan.FromMilliseconds(5)),
                [TokenScope.Pull(Reference.Path)]),
            Reference);
    }

    public RegistryClient Client { get; }

    public ImageReference Reference { get; }

    public Task<ResolvedImage> ResolveAsync(string? platform = null) =>
        ImageResolver.ResolveAsync(Client, Reference, PlatformMatch.Parse(platform ?? "linux/amd64"), platform is null ? PlatformNeed.Preferred : PlatformNeed.Required, TestContext.Current.CancellationToken);

    /// <summary>The blob read to its end on a thread that may block.</summary>
    public Task<byte[]> ReadAsync(Descriptor descriptor, List<TimeSpan>? retries = null) => Task.Run(() =>
    {
        using BlobStream stream = new(
            Client, descriptor, $"layer {descriptor.Digest.Short}", _ => { }, wait => retries?.Add(wait), TestContext.Current.CancellationToken);
        using MemoryStream copy = new();
        stream.CopyTo(copy);
        return copy.ToArray();
    });

    public void Dispose()
    {
        Client.Dispose();
        _transport.Dispose();
    }
}
