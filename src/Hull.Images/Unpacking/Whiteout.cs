using Hull.Linux;
using Microsoft.Win32.SafeHandles;

namespace Hull.Images.Unpacking;

/// <summary>Deletions: AUFS names in archives, overlayfs inodes on disk (Documentation/filesystems/overlayfs.rst,
/// "whiteouts and opaque directories"; OCI image-spec layer.md, "Whiteouts").</summary>
internal static class Whiteout
{
    /// <summary>Overlayfs attributes are root's, <c>trusted.</c>; an unprivileged overlay mounts with userxattr.</summary>
    public static string OpaqueAttribute { get; } =
        Environment.IsPrivilegedProcess ? "trusted.overlay.opaque" : "user.overlay.opaque";

    public static ReadOnlySpan<byte> Prefix => ".wh."u8;

    /// <summary>Names of AUFS's own bookkeeping; of these only the opaque marker means something.</summary>
    public static ReadOnlySpan<byte> MetaPrefix => ".wh..wh."u8;

    public static ReadOnlySpan<byte> Opaque => ".wh..wh..opq"u8;

    /// <summary>A character device 0:0 hides the name in the layers below.</summary>
    public static bool Is(FileMetadata metadata) =>
        metadata.Type == FileType.CharacterDevice && metadata is { RawDeviceMajor: 0, RawDeviceMinor: 0 };

    /// <summary>Whether a directory of a layer hides what the layers below have in it.</summary>
    public static bool IsOpaque(SafeFileHandle directory) => Files.TryGetAttribute(directory, OpaqueAttribute, out _) is [(byte)'y'];
}
