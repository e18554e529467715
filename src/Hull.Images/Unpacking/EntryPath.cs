using Hull.Images.Tar;

namespace Hull.Images.Unpacking;

/// <summary>The name of an archive entry, split. Leading and doubled slashes and "." say nothing; ".." is refused.</summary>
internal readonly struct EntryPath
{
    /// <summary>Deeper than any real tree, and few enough directories to keep open at once.</summary>
    public const int MaxDepth = 512;

    private EntryPath(byte[] whole, byte[][] components) => (Whole, Components) = (whole, components);

    public byte[] Whole { get; }

    public byte[][] Components { get; }

    /// <summary>The entry stands for the layer's root.</summary>
    public bool IsRoot => Components.Length == 0;

    public ReadOnlySpan<byte[]> Parents => Components.AsSpan(0, Components.Length - 1);

    public byte[] Name => Components[^1];

    /// <summary>Refuses to make an archive that could not be unpacked again.</summary>
    /// <exception cref="ImageException">Host: the directory is too deep.</exception>
    public static void CheckDepth(byte[] path, int depth)
    {
        if (depth > MaxDepth)
        {
            throw new ImageException(
                ImageError.Host, $"'{TarEntry.Display(path)}' is {depth} directories deep (layers hold {MaxDepth}): make the tree flatter, or remove it");
        }
    }

    /// <exception cref="ImageException">Corrupt: a ".." (CVE-2014-6407, CVE-2014-9356), a NUL, a name or path beyond a limit.</exception>
    public static EntryPath Parse(byte[] path, string what)
    {
        List<byte[]> components = [];
        foreach (Range range in ((ReadOnlySpan<byte>)path).Split((byte)'/'))
        {
            ReadOnlySpan<byte> component = path.AsSpan(range);
            if (component.IsEmpty || component.SequenceEqual("."u8))
            {
                continue;
            }

            if (component.SequenceEqual(".."u8))
            {
                throw new ImageException(
                    ImageError.Corrupt, $"path traversal: the {what} '{TarEntry.Display(path)}' has a '..', which could leave the layer, so it is refused");
            }

            if (component.Length > Linux.Files.MaxNameBytes || component.Contains((byte)0))
            {
                throw new ImageException(
                    ImageError.Corrupt,
                    $"the {what} '{TarEntry.Display(path)}' has a component that no file can be named ({component.Length} bytes; at most {Linux.Files.MaxNameBytes}, no NUL)");
            }

            components.Add(component.ToArray());
        }

        return components.Count <= MaxDepth
            ? new EntryPath(path, [.. components])
            : throw new ImageException(ImageError.Corrupt, $"the {what} '{TarEntry.Display(path)}' is {components.Count} directories deep (the limit is {MaxDepth})");
    }
}
