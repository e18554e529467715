using Hull.Images.Registry;
using Hull.Oci;
using Hull.Oci.ImageSpec;

namespace Hull.Images.Tests.Registry;

/// <summary>A registry with one index, a registry to push to, and a store. For root: others' tests are skipped.</summary>
internal sealed class PlatformFixture : IDisposable
{
    private readonly TemporaryDirectory _directory = new();
    private readonly StringWriter _output = new() { NewLine = "\n" };

    public PlatformFixture()
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "unpacking keeps owners, which takes root");
        (Source, Target) = (new FakeRegistry(), new FakePushTarget());
        Store = ImageStore.Open(_directory.Path, new ImageStoreOptions { Sync = false });
        Index = FakeIndex.Add(Source, "1");
        Name = $"{Source.Host}/app:1";
    }

    public static Platform Amd { get; } = PlatformMatch.Parse("linux/amd64");

    public static Platform Arm { get; } = PlatformMatch.Parse("linux/arm64");

    /// <summary>The image for this machine.</summary>
    public FakeImage Host => PlatformMatch.Host.Architecture == "arm64" ? Index.Arm : Index.Amd;

    public FakeRegistry Source { get; }

    public FakePushTarget Target { get; }

    public FakeIndex Index { get; }

    public ImageStore Store { get; }

    /// <summary>Of the image in the source.</summary>
    public string Name { get; }

    public string DataRoot => _directory.Path;

    public string Output => _output.ToString();

    public static IReadOnlyList<ImageUse> NoUses() => [];

    public Task<PullResult> PullAsync(Platform? platform, bool all = false, string? name = null) => new ImagePuller(Store, FakeRegistry.Settings)
    {
        AllPlatforms = all,
        Retry = new RetryPolicy(1, TimeSpan.FromMilliseconds(5)),
        EnvironmentVariable = _ => null,
    }.PullAsync(ImageReference.Parse(name ?? Name), platform, new PlainTransferProgress(TextWriter.Synchronized(_output)), TestContext.Current.CancellationToken);

    public async Task<PushResult> PushAsync(string name, Platform? platform = null) => Assert.Single(await new ImagePusher(Store, FakeRegistry.Settings)
    {
        Platform = platform,
        Retry = new RetryPolicy(1, TimeSpan.FromMilliseconds(5)),
        EnvironmentVariable = _ => null,
    }.PushAsync([ImageReference.Parse(name)], new PlainTransferProgress(TextWriter.Synchronized(_output)), TestContext.Current.CancellationToken));

    /// <summary>Names the image in the target's registry.</summary>
    public string TagTo(string repository)
    {
        string name = $"{Target.Host}/{repository}";
        Store.Tag(Store.Find(Name).Required(), ImageReference.Parse(name));
        return name;
    }

    public string[] Files(string directory) =>
        [.. Directory.EnumerateFileSystemEntries($"{DataRoot}/{directory}").Select(path => Path.GetFileName(path)!).Where(name => name[0] != '.')];

    public void Dispose()
    {
        Source.Dispose();
        Target.Dispose();
        _directory.Dispose();
    }
}
