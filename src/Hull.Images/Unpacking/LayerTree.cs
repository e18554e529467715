using System.Text;
using Hull.Images.Tar;
using Hull.Linux;
using Microsoft.Win32.SafeHandles;

namespace Hull.Images.Unpacking;

/// <summary>Walks paths of an archive below a layer's root, one kernel lookup a component, none of which follows a link or
/// leaves its directory (openat2 RESOLVE_BENEATH, RESOLVE_NO_SYMLINKS).</summary>
/// <remarks>
/// <para>A symbolic link among the parents is followed as in a container whose root is the layer: its target is
/// walked the same way, absolute ones from the layer's root, ".." no higher than it (docker unpacks in a chroot,
/// containerd resolves in the root: the same result). Nothing is resolved by comparing strings.</para>
/// <para>Walking by component also serves paths longer than PATH_MAX. The directories of the last path stay open, so that
/// a sorted archive costs one lookup a directory.</para>
/// </remarks>
internal sealed class LayerTree : IDisposable
{
    private const int MaxLinks = 40;
    private const ResolveFlags OneStep = ResolveFlags.Beneath | ResolveFlags.NoSymlinks | ResolveFlags.NoCrossDevice;
    private readonly List<LayerDirectory> _stack = [];
    private readonly SafeFileHandle _root;

    /// <param name="root">The layer's root; the caller keeps owning it.</param>
    public LayerTree(SafeFileHandle root)
    {
        _root = root;
        _stack.Add(new LayerDirectory(root, ""));
    }

    /// <summary>What to do where a parent is missing; null leaves it missing. Takes the parent directory, its path and the name.</summary>
    public Action<LayerDirectory, byte[]>? MakeMissing { get; init; }

    /// <summary>What to do where a parent is a whiteout that an earlier entry of the layer made.</summary>
    public Action<LayerDirectory, byte[]>? ReplaceWhiteout { get; init; }

    /// <summary>The directory of a path already split; null where it is missing. Valid until the next call.</summary>
    /// <exception cref="ImageException">Corrupt: a parent is a file, or links lead in circles.</exception>
    public LayerDirectory? Open(ReadOnlySpan<byte[]> components, byte[] path)
    {
        int common = 0;
        while (common < components.Length && common + 1 < _stack.Count
            && _stack[common + 1].Name.AsSpan().SequenceEqual(components[common]))
        {
            common++;
        }

        Truncate(common + 1);
        if (common == components.Length)
        {
            return _stack[^1];
        }

        Stack<byte[]> todo = new();
        Push(todo, components[common..]);
        int links = 0;
        while (todo.TryPop(out byte[]? name))
        {
            if (name.AsSpan().SequenceEqual(".."u8))
            {
                // Only a link's target has it; an entry's name is refused. The root is its own parent.
                Truncate(Math.Max(1, _stack.Count - 1));
                continue;
            }

            if (!Descend(name, path, todo, ref links))
            {
                return null;
            }
        }

        return _stack[^1];
    }

    /// <summary>Forgets open directories, after one of them may have been replaced.</summary>
    public void Reset() => Truncate(1);

    public void Dispose() => Truncate(1);

    private bool Descend(byte[] name, byte[] path, Stack<byte[]> todo, ref int links)
    {
        LayerDirectory current = _stack[^1];
        for (int attempt = 0; ; attempt++)
        {
            SafeFileHandle? next = Files.TryOpenBeneath(
                current.Handle, name, OpenFlags.ReadOnly | OpenFlags.Directory | OpenFlags.NoFollow, 0, OneStep, out Errno errno);
            if (next is not null)
            {
                _stack.Add(new LayerDirectory(next, current.Child(name), name));
                return true;
            }

            if (attempt == 0 && errno == Errno.ENOENT)
            {
                if (MakeMissing is null)
                {
                    return false;
                }

                MakeMissing(current, name);
                continue;
            }

            if (attempt == 0 && errno is Errno.ENOTDIR or Errno.ELOOP)
            {
                FileMetadata? found = Files.TryStatAt(current.Handle, name, out _);
                if (found is { IsSymbolicLink: true })
                {
                    Follow(current, name, path, todo, ref links);
                    return true;
                }

                if (found is { } metadata && Whiteout.Is(metadata))
                {
                    if (ReplaceWhiteout is null)
                    {
                        return false;
                    }

                    ReplaceWhiteout(current, name);
                    continue;
                }

                throw new ImageException(
                    ImageError.Corrupt, $"'{TarEntry.Display(path)}': its parent '{TarEntry.Display(name)}' is not a directory");
            }

            throw new SyscallException("openat2", TarEntry.Display(path), errno);
        }
    }

    private void Follow(LayerDirectory current, byte[] name, byte[] path, Stack<byte[]> todo, ref int links)
    {
        if (++links > MaxLinks)
        {
            throw new ImageException(ImageError.Corrupt, $"'{TarEntry.Display(path)}': too many symbolic links among its parents");
        }

        byte[] target = Files.TryReadLink(current.Handle, name, out Errno errno)
            ?? throw new SyscallException("readlink", TarEntry.Display(path), errno);
        if (target is [(byte)'/', ..])
        {
            Truncate(1);
        }

        List<byte[]> components = [];
        foreach (Range range in ((ReadOnlySpan<byte>)target).Split((byte)'/'))
        {
            ReadOnlySpan<byte> component = target.AsSpan(range);
            if (!component.IsEmpty && !component.SequenceEqual("."u8))
            {
                components.Add(component.ToArray());
            }
        }

        Push(todo, components.ToArray());
    }

    private static void Push(Stack<byte[]> todo, ReadOnlySpan<byte[]> components)
    {
        for (int i = components.Length - 1; i >= 0; i--)
        {
            todo.Push(components[i]);
        }
    }

    private void Truncate(int count)
    {
        for (int i = _stack.Count - 1; i >= count; i--)
        {
            _stack[i].Handle.Dispose();
            _stack.RemoveAt(i);
        }
    }
}

/// <summary>An open directory of a layer.</summary>
/// <param name="Handle">Owned by the tree, except the root's.</param>
/// <param name="Path">From the layer's root, without links or leading slash; bytes as Latin-1, so that any name is a key.</param>
internal sealed record LayerDirectory(SafeFileHandle Handle, string Path, byte[] Name)
{
    public LayerDirectory(SafeFileHandle handle, string path)
        : this(handle, path, [])
    {
    }

    /// <summary>The path of an entry in it.</summary>
    public string Child(ReadOnlySpan<byte> name) =>
        Path.Length == 0 ? Encoding.Latin1.GetString(name) : $"{Path}/{Encoding.Latin1.GetString(name)}";
}
