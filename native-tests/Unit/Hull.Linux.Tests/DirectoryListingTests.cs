using System.Text;
using Microsoft.Win32.SafeHandles;

namespace Hull.Linux.Tests;

public sealed class DirectoryListingTests : IDisposable
{
    private readonly string _root = Directory.CreateTempSubdirectory("hull-linux-test-").FullName;

    public void Dispose() => DirectoryListing.RemoveTree(_root);

    [Fact]
    public void Read_AnyNames_AsBytes()
    {
        using SafeFileHandle root = Files.Open(_root, OpenFlags.ReadOnly | OpenFlags.Directory);
        byte[] name = [(byte)'a', 0xff, 0xfe];
        Assert.Equal(Errno.None, Files.TryMakeDirectory(root, name, 0x1C0));
        Assert.Equal(Errno.None, Files.TryMakeSymbolicLink("x"u8, root, "link"u8));

        Dictionary<string, FileType> entries = DirectoryListing.Read(root).ToDictionary(entry => Convert.ToHexString(entry.Name), entry => entry.Type);

        Assert.Equal(FileType.Directory, entries[Convert.ToHexString(name)]);
        Assert.Equal(FileType.SymbolicLink, entries[Convert.ToHexString("link"u8)]);
        Assert.Equal(2, entries.Count);
    }

    [Fact]
    public void Read_RemovedWhileOpen_IsEmpty()
    {
        using SafeFileHandle gone = Files.Open(Directory.CreateDirectory($"{_root}/gone").FullName, OpenFlags.ReadOnly | OpenFlags.Directory);
        Directory.Delete($"{_root}/gone");

        Assert.Empty(DirectoryListing.Read(gone));
    }

    [Fact]
    public void DirectoryReader_SmallestBuffer_GivesEveryEntryAndItsLink()
    {
        for (int i = 0; i < 50; i++)
        {
            File.CreateSymbolicLink($"{_root}/{i:D2}{new string('x', 250)}", $"target {i}");
        }

        using SafeFileHandle root = Files.Open(_root, OpenFlags.ReadOnly | OpenFlags.Directory);
        DirectoryReader reader = new(root, stackalloc byte[280]);
        Span<byte> target = stackalloc byte[9];
        SortedSet<string> targets = [];
        while (reader.MoveNext())
        {
            Assert.Equal(FileType.SymbolicLink, reader.Type);
            int length = Files.TryReadLink(root, reader.Name, target, out Errno _);
            targets.Add(Encoding.UTF8.GetString(target[..length]));
        }

        Assert.Equal(50, targets.Count);
        Assert.Contains("target 49", targets);
        Assert.Equal(-1, Files.TryReadLink(root, "missing"u8, target, out Errno errno));
        Assert.Equal(Errno.ENOENT, errno);
    }

    [Fact]
    public void RemoveTree_SymbolicLinks_AreRemovedNotFollowed()
    {
        Directory.CreateDirectory($"{_root}/outside");
        File.WriteAllText($"{_root}/outside/file", "stays");
        Directory.CreateDirectory($"{_root}/tree");
        File.CreateSymbolicLink($"{_root}/tree/link", $"{_root}/outside");

        DirectoryListing.RemoveTree($"{_root}/tree");

        Assert.False(Directory.Exists($"{_root}/tree"));
        Assert.Equal("stays", File.ReadAllText($"{_root}/outside/file"));
    }

    [Fact]
    public void RemoveTree_DeeperThanThereAreDescriptors_IsRemoved()
    {
        SafeFileHandle current = Files.Open(_root, OpenFlags.ReadOnly | OpenFlags.Directory);
        for (int depth = 0; depth < 5000; depth++)
        {
            Assert.Equal(Errno.None, Files.TryMakeDirectory(current, "d"u8, 0x1C0));
            SafeFileHandle next = Files.TryOpenAt(current, "d"u8, OpenFlags.ReadOnly | OpenFlags.Directory, 0, out _)!;
            current.Dispose();
            current = next;
        }

        current.Dispose();

        DirectoryListing.RemoveTree($"{_root}/d");

        Assert.Empty(Directory.GetFileSystemEntries(_root));
    }

    [Fact]
    public void RemoveTree_DirectoriesWithoutPermissions_AreRemoved()
    {
        Directory.CreateDirectory($"{_root}/tree/closed");
        File.WriteAllText($"{_root}/tree/closed/file", "x");
        using (SafeFileHandle closed = Files.Open($"{_root}/tree/closed", OpenFlags.ReadOnly | OpenFlags.Directory))
        {
            Files.ChangeMode(closed, 0);
        }

        DirectoryListing.RemoveTree($"{_root}/tree");

        Assert.False(Directory.Exists($"{_root}/tree"));
    }

    [Fact]
    public void RemoveTree_MissingName_IsNothing() => DirectoryListing.RemoveTree($"{_root}/none");

    [Theory]
    [InlineData("a/b", Errno.ENOENT)]
    [InlineData("a\0b", Errno.EINVAL)]
    public void TryMakeDirectory_NameThatCannotBe_IsAnErrno(string name, Errno expected)
    {
        using SafeFileHandle root = Files.Open(_root, OpenFlags.ReadOnly | OpenFlags.Directory);

        Assert.Equal(expected, Files.TryMakeDirectory(root, Encoding.UTF8.GetBytes(name), 0x1C0));
        Assert.Equal(Errno.ENAMETOOLONG, Files.TryMakeDirectory(root, new byte[256].Select(_ => (byte)'n').ToArray(), 0x1C0));
    }
}
