using System.Text;
using Hull.Runtime.Cgroups;

namespace Hull.Runtime.Systemd;

/// <summary>Which unit of systemd a container is, and so which cgroup it has.</summary>
/// <param name="Slice">The slice it is in: <c>system.slice</c>, <c>-.slice</c> for the root.</param>
/// <param name="Unit"><c>PREFIX-NAME.scope</c>.</param>
internal sealed record ScopeName(string Slice, string Unit)
{
    private const string DefaultSlice = "system.slice";
    private const string Suffix = ".slice";

    /// <summary>The unit's cgroup, below the hierarchy's root: systemd.slice(5) puts a-b.slice into a.slice.</summary>
    public string CgroupPath
    {
        get
        {
            StringBuilder path = new();
            string name = Slice[..^Suffix.Length];
            for (int dash = name.IndexOf('-', StringComparison.Ordinal); dash > 0; dash = name.IndexOf('-', dash + 1))
            {
                path.Append('/').Append(name, 0, dash).Append(Suffix);
            }

            return name == "-" ? $"/{Unit}" : path.Append('/').Append(Slice).Append('/').Append(Unit).ToString();
        }
    }

    /// <summary>Reads <c>linux.cgroupsPath</c> in the form that it has with the systemd driver, <c>slice:prefix:name</c>; absent, it is
    /// <c>system.slice:hull:ID</c>.</summary>
    /// <exception cref="CgroupException">It is of another form, or names no slice or no unit.</exception>
    public static ScopeName Parse(string? cgroupsPath, string id)
    {
        string[] parts = string.IsNullOrEmpty(cgroupsPath) ? [DefaultSlice, "hull", id] : cgroupsPath.Split(':');
        if (parts.Length != 3)
        {
            throw new CgroupException(
                $"linux.cgroupsPath {cgroupsPath}: with --systemd-cgroup it has the form slice:prefix:name, for example {DefaultSlice}:hull:{id}");
        }

        string slice = parts[0].Length > 0 ? parts[0] : DefaultSlice;
        string name = slice.EndsWith(Suffix, StringComparison.Ordinal) ? slice[..^Suffix.Length] : "";
        if (name != "-" && (!IsName(name) || name.Split('-').Contains("")))
        {
            throw new CgroupException($"linux.cgroupsPath {cgroupsPath}: '{slice}' is not a slice: {DefaultSlice}, or parts with dashes between them as in a-b.slice");
        }

        string unit = parts[1].Length > 0 ? $"{parts[1]}-{parts[2]}" : parts[2];
        return parts[2].Length > 0 && IsName(unit) && !parts[2].EndsWith(Suffix, StringComparison.Ordinal)
            ? new ScopeName(slice, $"{unit}.scope")
            : throw new CgroupException(
                $"linux.cgroupsPath {cgroupsPath}: '{unit}' is not the name of a scope: letters, digits and - _ . @ are possible, and a slice holds no processes");
    }

    /// <summary>What systemd.unit(5) allows in a name; with ".scope" behind it at most 255 bytes.</summary>
    private static bool IsName(string text)
    {
        bool valid = text.Length is > 0 and <= 240;
        foreach (char c in text)
        {
            valid &= char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.' or '@' or '\\';
        }

        return valid;
    }
}
