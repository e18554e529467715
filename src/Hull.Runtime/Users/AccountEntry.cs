using System.Globalization;

namespace Hull.Runtime;

/// <summary>A line of passwd(5) or group(5): fields between colons, the first the name.</summary>
internal sealed class AccountEntry(string line)
{
    private readonly string[] _fields = line.Split(':');

    public string Name => _fields[0];

    /// <summary>passwd(5): the third field; null where it is no id.</summary>
    public uint? Uid => Id(2);

    /// <summary>passwd(5): the fourth field; 0 where the line ends before it, null where it is no id.</summary>
    public uint? Gid => _fields.Length > 3 ? Id(3) : 0;

    /// <summary>passwd(5): the sixth field.</summary>
    public string Home => _fields.Length > 5 ? _fields[5] : "";

    /// <summary>group(5): the third field; null where it is no id.</summary>
    public uint? GroupId => Id(2);

    /// <summary>group(5): whether the fourth field lists a name.</summary>
    public bool HasMember(string name)
    {
        if (_fields.Length < 4)
        {
            return false;
        }

        ReadOnlySpan<char> members = _fields[3];
        foreach (Range range in members.Split(','))
        {
            if (members[range].SequenceEqual(name))
            {
                return true;
            }
        }

        return false;
    }

    private uint? Id(int index) =>
        _fields.Length > index && uint.TryParse(_fields[index], NumberStyles.None, CultureInfo.InvariantCulture, out uint id) && id <= int.MaxValue
            ? id
            : null;
}
