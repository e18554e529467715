using Hull.Linux;
using Hull.Oci;

namespace Hull.Images;

/// <summary>Where things are below the data root.</summary>
/// <remarks>
/// <code>
/// images/oci-layout, index.json, blobs/sha256/HEX   an OCI image layout
/// images/records/HEX.json                           one an image: what a start needs
/// images/references/NAME                            symbolic link to the record; '/' of the name is '+'
/// images/indexes/HEX                                symbolic link to records: a name that leads through it came with this index
/// images/origins/DIFFID.json                        which registries have the layer, see LayerOrigins
/// images/lists/NAME                                 OCI indexes of images for several platforms; '/' of the name is '+'
/// images/staging/new-*                              blobs being written
/// images/staging/part-HEX                           downloads, gone on with by the next pull; see StagingName
/// images/lock                                       held while names and records change
/// images/use.lock                                   shared by who adds or needs content, exclusive to who collects garbage
/// layers/CHAINID/{diff,layer.json}                  unpacked layers
/// layers/new-*                                      layers being unpacked
/// </code>
/// </remarks>
internal sealed class StoreLayout(string dataRoot)
{
    /// <summary>0700: unpacked layers hold setuid programs, which no user of the host may reach (CVE-2021-41091).</summary>
    public const uint Private = 0x1c0;

    private readonly Lock _gate = new();
    private volatile bool _created;

    public string Images { get; } = $"{dataRoot}/images";

    public string Layers { get; } = $"{dataRoot}/layers";

    public string Records => $"{Images}/records";

    public string References => $"{Images}/references";

    public string Indexes => $"{Images}/indexes";

    public string Origins => $"{Images}/origins";

    public string Lists => $"{Images}/lists";

    public string BlobStaging => $"{Images}/staging";

    public string Blobs => $"{Images}/blobs/sha256";

    public string LockFile => $"{Images}/lock";

    public string UseLockFile => $"{Images}/use.lock";

    public string Index => $"{Images}/index.json";

    public string Blob(Digest digest) => $"{Blobs}/{digest.Hex}";

    public string Record(Digest id) => $"{Records}/{id.Hex}.json";

    public string IndexLink(Digest index) => $"{Indexes}/{index.Hex}";

    public string Origin(Digest diffId) => $"{Origins}/{diffId.Hex}.json";

    public string Layer(Digest chainId) => $"{Layers}/{chainId.Hex}";

    /// <summary>Makes what is missing, before the first write.</summary>
    public void Create()
    {
        if (_created)
        {
            return;
        }

        lock (_gate)
        {
            if (!_created)
            {
                CreateAll();
                _created = true;
            }
        }
    }

    /// <summary>Makes anew what somebody has removed of the layout itself.</summary>
    public void Restore()
    {
        lock (_gate)
        {
            CreateAll();
        }
    }

    private void CreateAll()
    {
        foreach (string directory in new[] { Blobs, Records, References, Indexes, Origins, BlobStaging, Layers })
        {
            Files.MakeDirectories(directory, Private);
        }

        string marker = $"{Images}/oci-layout";
        if (Files.TryStatAt(null, marker, followLinks: false, out _) is not { Size: > 0 })
        {
            // Under the lock, so that whoever holds it may sweep what a kill left of documents.
            using FileLock held = FileLock.Acquire(LockFile);
            AtomicFile.Write(marker, "{\"imageLayoutVersion\":\"1.0.0\"}"u8, durable: true);
        }
    }
}
