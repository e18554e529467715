namespace Hull.Runtime;

/// <summary>One walk over /etc/group for everything that is wanted of it.</summary>
internal sealed class GroupSearch
{
    private readonly string? _member;
    private readonly string _explicitName;
    private readonly Dictionary<string, uint?> _named = [];
    private readonly List<AddedGroup> _added = [];

    /// <param name="member">Whose memberships are wanted; null for nobody's.</param>
    /// <param name="explicitName">The group after the colon where it is a name; empty for none.</param>
    /// <param name="groupAdd">Names and numbers.</param>
    public GroupSearch(string? member, string explicitName, IReadOnlyList<string> groupAdd)
    {
        _member = member;
        _explicitName = explicitName;
        if (explicitName.Length > 0)
        {
            _named[explicitName] = null;
        }

        foreach (string group in groupAdd)
        {
            uint? gid = UserSpec.Number(group);
            _added.Add(new AddedGroup(gid is null ? group : null, gid ?? 0));
            if (gid is null)
            {
                _named[group] = null;
            }
        }
    }

    public bool IsNeeded => _member is not null || _named.Count > 0;

    /// <summary>The groups that list the member, in the file's order.</summary>
    public List<uint> Memberships { get; } = [];

    /// <summary>The group after the colon.</summary>
    public uint? Explicit => _explicitName.Length > 0 ? _named[_explicitName] : null;

    /// <summary>The groups of <c>--group-add</c>, in the order given.</summary>
    public IEnumerable<uint> Added
    {
        get
        {
            foreach (AddedGroup group in _added)
            {
                yield return group.Name is null ? group.Gid : _named[group.Name]!.Value;
            }
        }
    }

    /// <summary>Takes in one entry; the first of a name counts. An entry without a valid number makes nobody a member.</summary>
    public bool Visit(AccountEntry entry)
    {
        if (entry.GroupId is not uint gid)
        {
            return true;
        }

        if (_named.TryGetValue(entry.Name, out uint? known) && known is null)
        {
            _named[entry.Name] = gid;
        }

        if (_member is { Length: > 0 } && entry.HasMember(_member))
        {
            Memberships.Add(gid);
        }

        return true;
    }

    /// <param name="unusable">Why the file could not be read, where it could not.</param>
    public void ThrowIfMissing(string? unusable)
    {
        foreach ((string name, uint? gid) in _named)
        {
            if (gid is null)
            {
                throw new UserException($"unable to find group {name}: {unusable ?? "no matching entries in group file"}");
            }
        }
    }

    /// <summary>One <c>--group-add</c>.</summary>
    /// <param name="Name">Null where it is a number.</param>
    private sealed record AddedGroup(string? Name, uint Gid);
}
