using System.Text;
using Hull.Linux;
using Hull.Networking.Endpoints;
using Microsoft.Win32.SafeHandles;

namespace Hull.Networking.Host;

/// <summary>The names of a network's endpoints, as their DNS servers read them: <c>names/NAME/SHORTID</c>, a symbolic link to
/// <c>IPV4,IPV6</c>, either of which may be missing. Names are in lower case.</summary>
/// <remarks>Each change is one system call, and seen by the next query. Several containers may share a name.</remarks>
/// <param name="directory">Exists.</param>
internal sealed class NameDirectory(string directory)
{
    private const uint PrivateMode = 0x1C0;

    public void Add(string container, Endpoint endpoint)
    {
        foreach (string name in NamesOf(container, endpoint))
        {
            Add(container, name, endpoint);
        }
    }

    /// <summary>Changes an endpoint's names; those that it keeps are never missing.</summary>
    public void Replace(string container, Endpoint before, Endpoint after)
    {
        string[] old = [.. NamesOf(container, before)];
        string[] now = [.. NamesOf(container, after)];
        foreach (string name in now.Except(old))
        {
            Add(container, name, after);
        }

        foreach (string name in old.Except(now))
        {
            Remove(container, name);
        }
    }

    /// <summary>Takes a container's names out, whichever they are; a name that nobody has goes.</summary>
    public void Remove(string container)
    {
        using SafeFileHandle? names = Files.TryOpenAt(null, directory, OpenFlags.ReadOnly | OpenFlags.Directory, 0, out _);
        if (names is null)
        {
            return;
        }

        foreach (DirectoryEntry entry in DirectoryListing.Read(names, directory))
        {
            Remove(container, Encoding.UTF8.GetString(entry.Name));
        }
    }

    private void Add(string container, string name, Endpoint endpoint)
    {
        Files.MakeDirectory(null, PlaceOf(name), PrivateMode);
        // One that a killed predecessor left has other addresses.
        Files.Unlink(null, LinkOf(name, container));
        Files.MakeSymbolicLink($"{endpoint.IPv4},{endpoint.IPv6}", null, LinkOf(name, container));
    }

    private void Remove(string container, string name)
    {
        if (Files.Unlink(null, LinkOf(name, container)))
        {
            RemoveIfEmpty(PlaceOf(name));
        }
    }

    private string PlaceOf(string name) => $"{directory}/{name}";

    private string LinkOf(string name, string container) => $"{directory}/{name}/{container[..12]}";

    /// <summary>The names that can be asked for: an alias that is none of DNS is of no use to anybody.</summary>
    /// <remarks>Not by a chain of LINQ: its Select on an iterator is a generic virtual method, which NativeAOT puts together at the first
    /// call, a third of what a start on a bridge took.</remarks>
    private static HashSet<string> NamesOf(string container, Endpoint endpoint)
    {
        HashSet<string> names = [];
        foreach (string name in endpoint.Names)
        {
            if (Words.IsName(name))
            {
                names.Add(name.ToLowerInvariant());
            }
        }

        names.Add(container[..12]);
        return names;
    }

    private static void RemoveIfEmpty(string place)
    {
        try
        {
            Files.RemoveDirectory(null, place);
        }
        catch (SyscallException e) when (e.Errno == Errno.ENOTEMPTY)
        {
            // Another container has the name too.
        }
    }
}
