using System.Text.Json;
using Hull.Images.Unpacking;
using Hull.Linux;
using Hull.Oci;
using Hull.Oci.ImageSpec;
using Microsoft.Win32.SafeHandles;

namespace Hull.Images;

/// <summary>A layer unpacked and verified but not yet in the store. Disposing one that was not committed removes it.</summary>
public sealed class StagedLayer : IDisposable
{
    private readonly ImageStore _store;
    private BlobWriter? _keep;
    private readonly StagingName _staging;
    private readonly SafeFileHandle _root;
    private long _tarBytes;
    private bool _committed;

    internal StagedLayer(ImageStore store, BlobWriter? keep)
    {
        _store = store;
        _keep = keep;
        store.Layout.Create();
        _staging = StagingName.Directory(store.Layout.Layers);
        // 0700 until its own metadata comes at the end.
        Files.MakeDirectory(_staging.Handle, "diff", 0x1c0);
        _root = Files.OpenAt(_staging.Handle, "diff", OpenFlags.ReadOnly | OpenFlags.Directory | OpenFlags.NoFollow);
        Unpacker = new LayerUnpacker(_root, store.Options);
    }

    /// <summary>The hash of the uncompressed tar.</summary>
    public Digest DiffId { get; private set; }

    /// <summary>The hash of the stored form; null where it was neither kept nor checked.</summary>
    public Digest? BlobDigest { get; private set; }

    /// <summary>Bytes of the regular files.</summary>
    public long Size => Unpacker.Size;

    /// <summary>What could not be kept, such as an extended attribute.</summary>
    public IReadOnlyList<string> Notes => Unpacker.Notes;

    internal LayerUnpacker Unpacker { get; }

    /// <summary>Nothing at all was read, not even the end of an archive.</summary>
    internal bool IsEmptyStream => _tarBytes == 0;

    /// <summary>Puts the layer on top of a stack whose layers are all in the store, and its blob with it.</summary>
    /// <param name="below">The chainIDs of the stack, bottom first.</param>
    /// <returns>The layer's chainID.</returns>
    /// <exception cref="ImageException">Corrupt: a hard link to a file that no layer has. Host: the disk is full.</exception>
    public Digest Commit(IReadOnlyList<Digest> below)
    {
        Digest chainId = ChainId.Of(below.Count == 0 ? null : below[^1], DiffId);
        try
        {
            Unpacker.Complete([.. below.Reverse().Select(_store.Layers.DirectoryOf)]);
            Publish(chainId);
        }
        catch (Exception e) when (LayerApplier.Explain(e, $"layer {DiffId}") is { } explained)
        {
            throw explained;
        }

        return chainId;
    }

    /// <summary>Makes the verified blob part of the store before the layer, so that others who want it need not wait for the
    /// layers below.</summary>
    internal void CommitBlob()
    {
        using BlobWriter? blob = _keep;
        _keep = null;
        blob?.Commit(sync: _store.Options.Sync);
    }

    public void Dispose()
    {
        Unpacker.Dispose();
        _root.Dispose();
        _keep?.Dispose();
        if (!_committed)
        {
            DirectoryListing.RemoveTree(_staging.Path);
        }

        _staging.Dispose();
    }

    internal void Unpacked(Digest diffId, Digest? blob, long tarBytes)
    {
        DiffId = diffId;
        BlobDigest = blob;
        _tarBytes = tarBytes;
    }

    private void Publish(Digest chainId)
    {
        LayerRecord record = new() { ChainId = chainId, DiffId = DiffId, Size = Size, TarSize = _tarBytes };
        using (SafeFileHandle file = Files.OpenAt(
            _staging.Handle, "layer.json", OpenFlags.WriteOnly | OpenFlags.Create | OpenFlags.Exclusive, 0x180))
        {
            Files.Write(file, JsonSerializer.SerializeToUtf8Bytes(record, StoreJson.Default.LayerRecord), "layer.json");
        }

        if (_store.Options.Sync)
        {
            // One call for all files and the blob, before a name can point to them: after a power cut the layer is whole or absent.
            Files.SyncFileSystem(_staging.Handle, _staging.Path);
        }

        _keep?.Commit(sync: false);
        try
        {
            Files.RenameAt(null, _staging.Path, null, _store.Layout.Layer(chainId), RenameFlags.NoReplace);
            _committed = true;
        }
        catch (SyscallException e) when (e.Errno == Errno.EEXIST)
        {
            // Another process was first; its layer has the same content, ours is removed on Dispose.
        }
    }
}
