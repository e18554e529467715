using Hull.Linux;
using Hull.Oci;
using Hull.Oci.ImageSpec;
using Microsoft.Win32.SafeHandles;

namespace Hull.Images;

/// <summary>Unpacked layers, one directory a chainID, shared by all images. A layer's directory appears whole, by rename,
/// and never changes after.</summary>
public sealed class LayerStore
{
    private readonly StoreLayout _layout;

    internal LayerStore(StoreLayout layout) => _layout = layout;

    /// <summary>The absolute path of a layer's files, in overlayfs form: a lower directory.</summary>
    public string DirectoryOf(Digest chainId) => $"{_layout.Layer(chainId)}/diff";

    public bool Contains(Digest chainId) => Files.TryStatAt(null, _layout.Layer(chainId), followLinks: false, out _) is not null;

    /// <summary>What is known of a layer.</summary>
    /// <exception cref="SyscallException">ENOENT: no such layer.</exception>
    internal LayerRecord Read(Digest chainId)
    {
        string path = $"{_layout.Layer(chainId)}/layer.json";
        using SafeFileHandle file = Files.Open(path, OpenFlags.ReadOnly);
        return ImageDocuments.Parse(Files.ReadAll(file, ImageDocuments.MaxSize, path), StoreJson.Default.LayerRecord, path);
    }

    /// <summary>Bytes of a layer's files, counted where its record does not tell.</summary>
    internal long SizeOf(Digest chainId)
    {
        try
        {
            return Read(chainId).Size;
        }
        catch (Exception e) when (e is ImageSpecException or SyscallException { Errno: Errno.ENOENT })
        {
            return TreeSize.Of(DirectoryOf(chainId));
        }
    }
}
