using Hull.Images.Tar;
using Hull.Images.Unpacking;
using Hull.Linux;
using Hull.Oci;
using Hull.Oci.ImageSpec;

namespace Hull.Images.Checking;

/// <summary>Reads everything that a store has of images and names what is damaged. One use.</summary>
/// <remarks>The caller holds the store's content (<see cref="ImageStore.Hold"/>); what is mended takes the locks that it needs by itself, after
/// that hold is let go.</remarks>
internal sealed class StoreCheck(ImageStore store, Func<IReadOnlyList<ImageUse>> uses)
{
    private readonly List<Damage> _found = [];
    private readonly HashSet<Digest> _blobs = [];
    private readonly HashSet<Digest> _layers = [];
    private readonly HashSet<Digest> _flipped = [];

    /// <summary>How much was read, for the last line of the command.</summary>
    public string Extent => $"{store.Ids().Count()} images, {_layers.Count} layers, {_blobs.Count} blobs";

    public IReadOnlyList<Damage> Run()
    {
        foreach (Digest id in store.Ids().OrderBy(id => id.Hex, StringComparer.Ordinal))
        {
            CheckImage(id);
        }

        foreach (IGrouping<Digest, ImageReference> index in store.NamesByIndex())
        {
            CheckIndexOf(index.First().Familiar, index.Key);
        }

        CheckLeftovers(store.Layout.Layers, "layers");
        CheckLeftovers(store.Layout.BlobStaging, "images/staging");
        // Between two steps of a change the documents do not agree.
        using FileLock unchanging = FileLock.Acquire(store.Layout.LockFile);
        CheckReferences();
        CheckIndex();
        return _found;
    }

    private void CheckImage(Digest id)
    {
        ImageRecord record;
        try
        {
            if (ImageStore.TryRead(store.Layout.Record(id)) is not { } read)
            {
                return;
            }

            record = read.Id == id ? read : throw new ImageException(ImageError.Corrupt, $"it is the record of {read.Id.Short}");
        }
        catch (ImageException e)
        {
            _found.Add(new Damage(
                $"image {id.Short}: its record is damaged: {e.Message}",
                "pull or load the image again",
                () => store.Rebuild(id)));
            return;
        }

        string name = store.ToImage(record).RepoTags is [string first, ..] ? $"image {first}" : $"image {id.Short}";
        bool documents = CheckBlob(id, record.ConfigSize, $"{name}: its configuration") & CheckBlob(record.Manifest.Digest, record.Manifest.Size, $"{name}: its manifest");
        foreach (ImageLayer layer in record.Layers)
        {
            bool blob = CheckBlob(layer.Blob.Digest, layer.Blob.Size, $"{name}: the archive of layer {layer.DiffId.Short}");
            if (_layers.Add(layer.ChainId) && LayerDamage(layer, blob) is { } damage)
            {
                _found.Add(new Damage(
                    $"{name}: layer {layer.DiffId.Short} {damage}",
                    blob && documents ? "stop the containers that use it first" : "pull or load the image again: its archive is damaged too",
                    blob && documents ? () => store.UnpackAgain(record, layer.ChainId, uses) : null));
            }
        }
    }

    /// <summary>The documents of an index, and what is kept for it alone. An entry that is not there is none of the damage: one platform may be all
    /// that was wanted.</summary>
    private void CheckIndexOf(string name, Digest digest)
    {
        if (!CheckBlob(digest, store.Blobs.TrySize(digest) ?? 0, $"image {name}: its index"))
        {
            return;
        }

        StoredIndex index;
        try
        {
            index = StoredIndex.Read(store.Blobs, digest);
        }
        catch (ImageSpecException e)
        {
            _found.Add(new Damage($"image {name}: its index is none: {e.Message}", "pull or load the image again", null));
            return;
        }

        foreach (IndexDocument nested in index.Documents)
        {
            CheckBlob(nested.Descriptor.Digest, nested.Descriptor.Size, $"image {name}: an index of its index");
        }

        foreach (IndexEntry entry in index.Entries.Where(entry => !entry.IsRunnable && entry.Manifest is not null))
        {
            string what = $"image {name}: of what goes with it, manifest {entry.Descriptor.Digest.Short}";
            CheckBlob(entry.Descriptor.Digest, entry.Descriptor.Size, what);
            foreach (Descriptor blob in IndexEntry.Needed(entry.Manifest!).Where(blob => store.Blobs.Contains(blob.Digest)))
            {
                CheckBlob(blob.Digest, blob.Size, what);
            }
        }
    }

    /// <summary>Whether the blob is there with the content that its name says.</summary>
    private bool CheckBlob(Digest digest, long size, string what)
    {
        if (!_blobs.Add(digest))
        {
            return !_flipped.Contains(digest);
        }

        string? damage = null;
        if (store.Blobs.TrySize(digest) is not { } actual)
        {
            damage = "is missing";
        }
        else if (actual != size)
        {
            damage = $"has {actual} bytes instead of {size}";
        }
        else
        {
            using FileStream stream = store.Blobs.OpenRead(digest);
            damage = Digest.FromHash(System.Security.Cryptography.SHA256.HashData(stream)) == digest ? null : "has other content than its digest says";
        }

        if (damage is null)
        {
            return true;
        }

        _flipped.Add(digest);
        // Nothing here can make it again; without the wrong file the next pull or load brings it.
        _found.Add(new Damage($"{what} {damage} (blob {digest.Short})", "pull or load the image again: its blob is fetched anew", damage == "is missing" ? null : () => store.DropBlob(digest)));
        return false;
    }

    private string? LayerDamage(ImageLayer layer, bool blob)
    {
        if (!store.Layers.Contains(layer.ChainId))
        {
            return "is not unpacked";
        }

        try
        {
            if (store.Layers.Read(layer.ChainId) is var known && (known.ChainId, known.DiffId) != (layer.ChainId, layer.DiffId))
            {
                return "is another one than its directory says";
            }

            return blob ? Compare(layer) : null;
        }
        catch (Exception e) when (e is ImageSpecException or ImageException or SyscallException { Errno: Errno.ENOENT })
        {
            return $"is half there: {e.Message}";
        }
    }

    private string? Compare(ImageLayer layer)
    {
        using LayerVerifier verifier = new(store.Layers.DirectoryOf(layer.ChainId));
        using FileStream blob = store.Blobs.OpenRead(layer.Blob.Digest);
        using LayerPipe pipe = new(blob, null, hashStored: false, store.Options, CancellationToken.None, hashTar: false);
        return verifier.Compare(new TarReader(pipe)) is { } difference ? $"was changed: {difference}" : null;
    }

    private void CheckReferences()
    {
        foreach (string name in ImageStore.Names(store.Layout.References).Order(StringComparer.Ordinal))
        {
            string path = $"{store.Layout.References}/{name}";
            string text = name.Replace('+', '/');
            if (!ImageReference.TryParse(text, out _))
            {
                _found.Add(new Damage($"reference {text}: no name of an image", $"remove {path}", () => store.DropReference(name)));
            }
            else if (Files.TryStatAt(null, path, followLinks: true, out _) is null)
            {
                if (store.IsWayMissing(path))
                {
                    _found.Add(new Damage($"reference {text}: the way through its index is gone", $"pull {text} again", () => store.RestoreWay(name)));
                    continue;
                }

                _found.Add(new Damage($"reference {text}: its image is gone", $"remove {path}", () => store.DropReference(name)));
            }
        }
    }

    private void CheckLeftovers(string directory, string where)
    {
        foreach (string name in StagingName.Leftovers(directory))
        {
            _found.Add(new Damage($"{where}/{name}: left by a process that was killed", $"remove {directory}/{name}", () =>
            {
                store.Sweep();
                return !StagingName.Leftovers(directory).Contains(name);
            }));
        }
    }

    private void CheckIndex()
    {
        string marker = $"{store.Layout.Images}/oci-layout";
        if (store.Ids().Any() && (Read(store.Layout.Index) is not { } index || !index.AsSpan().SequenceEqual(store.IndexBytes()) || Read(marker) is not { Length: > 0 }))
        {
            _found.Add(new Damage("images/index.json: does not list the images that there are", "tag any image, which writes it anew", store.RestateIndex));
        }
    }

    private static byte[]? Read(string path)
    {
        using Microsoft.Win32.SafeHandles.SafeFileHandle? file = Files.TryOpenAt(null, path, OpenFlags.ReadOnly, 0, out _);
        return file is null ? null : Files.ReadAll(file, ImageDocuments.MaxSize, path);
    }
}
