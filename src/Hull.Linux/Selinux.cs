namespace Hull.Linux;

/// <summary>SELinux as this host has it.</summary>
public static class Selinux
{
    /// <summary>Where the kernel's policy is.</summary>
    public const string FileSystem = "/sys/fs/selinux";

    /// <summary>SELINUX_MAGIC, include/uapi/linux/magic.h.</summary>
    private const long Magic = 0xf97cff8c;

    /// <summary>Whether labels are this system's to give: by its file system, and not where that is read-only, as a container of a host
    /// with SELinux sees it. So go the tools of the host too (libselinux, is_selinux_enabled(3)).</summary>
    public static bool IsEnabled() => Files.IsWritableFileSystem(FileSystem, Magic);
}
