namespace Hull.Engine.Containers;

/// <summary>Absolute paths inside a container, as text. The text names a place; reaching it is the kernel's work,
/// beneath the rootfs (openat2(2) RESOLVE_IN_ROOT).</summary>
internal static class ContainerPath
{
    /// <summary>Without <c>.</c>, <c>..</c>, double and trailing slashes; <c>..</c> stops at the root.</summary>
    public static string Clean(string path)
    {
        List<string> parts = [];
        foreach (string part in path.Split('/'))
        {
            if (part == "..")
            {
                if (parts.Count > 0)
                {
                    parts.RemoveAt(parts.Count - 1);
                }
            }
            else if (part.Length > 0 && part != ".")
            {
                parts.Add(part);
            }
        }

        return "/" + string.Join('/', parts);
    }

    public static bool IsAtOrBelow(string path, string parent) =>
        path.StartsWith(parent, StringComparison.Ordinal) && (path.Length == parent.Length || path[parent.Length] == '/');
}
