using Hull.Linux;
using Microsoft.Win32.SafeHandles;

namespace Hull.Images.Unpacking;

/// <summary>Which extended attributes are part of a layer, and those of a file.</summary>
internal static class LayerAttributes
{
    /// <summary>What an image may set. Not <c>trusted.overlay.*</c> or <c>user.overlay.*</c>, which would steer overlayfs
    /// to other files (redirect, metacopy), nor the labels of the host's security modules.</summary>
    public static bool IsAllowed(string name) =>
        name is "security.capability" or "system.posix_acl_access" or "system.posix_acl_default"
        || (name.StartsWith("user.", StringComparison.Ordinal) && !name.StartsWith("user.overlay.", StringComparison.Ordinal));

    /// <summary>Those that a layer keeps, in the order of their names.</summary>
    public static List<(string Name, byte[] Value)> Read(SafeFileHandle file, string display)
    {
        List<(string, byte[])> attributes = [];
        foreach (string name in Files.ListAttributes(file, display).Where(IsAllowed).Order(StringComparer.Ordinal))
        {
            byte[]? value = Files.TryGetAttribute(file, name, out Errno errno);
            if (value is not null)
            {
                attributes.Add((name, value));
            }
            else if (errno != Errno.ENODATA)
            {
                throw new SyscallException("getxattr", display, errno, name);
            }
        }

        return attributes;
    }

    /// <summary>Whether two files have the same ones.</summary>
    public static bool AreEqual(SafeFileHandle one, SafeFileHandle other, string display)
    {
        List<(string Name, byte[] Value)> ones = Read(one, display);
        List<(string Name, byte[] Value)> others = Read(other, display);
        return ones.Count == others.Count
            && ones.Zip(others).All(pair => pair.First.Name == pair.Second.Name && pair.First.Value.AsSpan().SequenceEqual(pair.Second.Value));
    }
}
