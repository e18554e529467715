using System.IO.Compression;
using System.Text;
using System.Text.Json;
using Hull.Linux;
using Hull.Oci;
using Hull.Oci.ImageSpec;

namespace Hull.Images.Tests;

/// <summary>A store in a directory of its own, and images made from tars.</summary>
internal sealed class StoreFixture : IDisposable
{
    public StoreFixture(ImageStoreOptions? options = null)
    {
        Root = Directory.CreateTempSubdirectory("hull-images-test-").FullName;
        Store = ImageStore.Open($"{Root}/data", options ?? new ImageStoreOptions { Sync = false });
    }

    public string Root { get; }

    public ImageStore Store { get; }

    /// <summary>Unpacks one layer on top of others and gives its directory.</summary>
    public string Unpack(byte[] tar, params Digest[] below)
    {
        using StagedLayer staged = Store.Applier.Stage(new MemoryStream(tar), null, null, null);
        return Store.Layers.DirectoryOf(staged.Commit(below));
    }

    /// <summary>Unpacks one layer and gives its chainID.</summary>
    public Digest UnpackLayer(byte[] tar, params Digest[] below)
    {
        using StagedLayer staged = Store.Applier.Stage(new MemoryStream(tar), null, null, null);
        return staged.Commit(below);
    }

    /// <summary>The error of unpacking a hostile or broken layer, after checking that nothing of it is left.</summary>
    public string UnpackError(byte[] tar)
    {
        ImageException error = Assert.Throws<ImageException>(() => UnpackLayer(tar));
        AssertNothingStaged();
        return error.Message;
    }

    public void AssertNothingStaged()
    {
        foreach (string directory in new[] { $"{Root}/data/layers", $"{Root}/data/images/staging" })
        {
            if (Directory.Exists(directory))
            {
                Assert.DoesNotContain(Directory.GetFileSystemEntries(directory), path => Path.GetFileName(path).StartsWith("new-", StringComparison.Ordinal));
            }
        }
    }

    /// <summary>A manifest, a configuration and gzip layers as a registry would give them.</summary>
    public static (byte[] Manifest, byte[] Config, byte[][] Blobs) Documents(params byte[][] tars)
    {
        byte[][] blobs = [.. tars.Select(Gzip)];
        string diffIds = string.Join(',', tars.Select(tar => $"\"{Digest.Of(tar)}\""));
        byte[] config = Encoding.UTF8.GetBytes(
            $$$"""{"architecture":"amd64","os":"linux","created":"2024-01-02T03:04:05.123456789Z","config":{"Cmd":["sh"],"Env":["A=b"]},"rootfs":{"type":"layers","diff_ids":[{{{diffIds}}}]}}""");
        ImageManifest manifest = new()
        {
            MediaType = MediaTypes.OciManifest,
            Config = new Descriptor { MediaType = MediaTypes.OciConfig, Digest = Digest.Of(config), Size = config.Length },
            Layers = [.. blobs.Select(blob => new Descriptor { MediaType = MediaTypes.OciLayerGzip, Digest = Digest.Of(blob), Size = blob.Length })],
        };
        return (JsonSerializer.SerializeToUtf8Bytes(manifest, ImageSpecJson.Default.ImageManifest), config, blobs);
    }

    /// <summary>An image in the store, of the layers given bottom first.</summary>
    public Image AddImage(string? name, params byte[][] tars)
    {
        (byte[] manifest, byte[] config, byte[][] blobs) = Documents(tars);
        using ImageIngest ingest = Store.BeginIngest(manifest, null, config);
        foreach (IngestLayer layer in ingest.Layers.Where(layer => layer.State == LayerState.Missing))
        {
            ingest.Apply(layer.Index, new MemoryStream(blobs[layer.Index]));
        }

        return ingest.Commit(name is null ? [] : [ImageReference.Parse(name)]);
    }

    public static byte[] Gzip(byte[] content)
    {
        using MemoryStream result = new();
        using (GZipStream gzip = new(result, CompressionLevel.SmallestSize))
        {
            gzip.Write(content);
        }

        return result.ToArray();
    }

    public static FileMetadata Stat(string path) =>
        Files.TryStatAt(null, path, followLinks: false, out Errno errno) ?? throw new SyscallException("statx", path, errno);

    public void Dispose() => DirectoryListing.RemoveTree(Root);
}
