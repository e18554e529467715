using System.Collections;
using System.Globalization;
using System.Text;

namespace Hull.Runtime.Cgroups;

/// <summary>A list of processors or memory nodes as cpuset(7) writes it: <c>0-3,7</c>.</summary>
/// <remarks>Bounded by what a kernel can have, before anything is allocated: <c>0-2147483647</c> once made an engine allocate
/// gigabytes (CVE-2018-20699).</remarks>
public sealed class CpuList
{
    /// <summary>One above the largest number: NR_CPUS of any kernel configuration is at most this.</summary>
    public const int Bound = 8192;

    private readonly BitArray _set;

    private CpuList(BitArray set) => _set = set;

    /// <summary>Reads a list.</summary>
    /// <param name="what">Begins the words of an error.</param>
    /// <exception cref="CgroupException">Not a list, or a number too large for any machine.</exception>
    public static CpuList Parse(string text, string what)
    {
        BitArray set = new(Bound);
        foreach (Range range in text.AsSpan().Split(','))
        {
            ReadOnlySpan<char> part = text.AsSpan()[range].Trim();
            int dash = part.IndexOf('-');
            uint first = ParseNumber(dash < 0 ? part : part[..dash], text, what);
            uint last = dash < 0 ? first : ParseNumber(part[(dash + 1)..], text, what);
            if (last < first)
            {
                throw new CgroupException($"{what} {Shorten(text)}: the range {part} goes backwards");
            }

            for (uint i = first; i <= last; i++)
            {
                set[(int)i] = true;
            }
        }

        return new CpuList(set);
    }

    /// <summary>Whether every number of <paramref name="other"/> is in this list.</summary>
    public bool Contains(CpuList other)
    {
        for (int i = 0; i < Bound; i++)
        {
            if (other._set[i] && !_set[i])
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>Its numbers, in order.</summary>
    public IReadOnlyList<int> Numbers => [.. Enumerable.Range(0, Bound).Where(i => _set[i])];

    /// <summary>The list as sched_setaffinity(2) takes it: a bit a number, in whole longs.</summary>
    public byte[] ToMask()
    {
        byte[] mask = new byte[Bound / 8];
        _set.CopyTo(mask, 0);
        int used = Array.FindLastIndex(mask, static b => b != 0) + 1;
        return mask[..Math.Max((used + 7) / 8 * 8, 8)];
    }

    /// <summary>The list in its shortest form.</summary>
    public override string ToString()
    {
        StringBuilder text = new();
        for (int i = 0; i < Bound; i++)
        {
            if (!_set[i])
            {
                continue;
            }

            int last = i;
            while (last + 1 < Bound && _set[last + 1])
            {
                last++;
            }

            text.Append(CultureInfo.InvariantCulture, $"{(text.Length > 0 ? "," : "")}{i}");
            if (last > i)
            {
                text.Append(CultureInfo.InvariantCulture, $"-{last}");
            }

            i = last;
        }

        return text.ToString();
    }

    private static uint ParseNumber(ReadOnlySpan<char> digits, string text, string what)
    {
        if (!uint.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out uint number))
        {
            throw new CgroupException($"{what} {Shorten(text)}: not a list like 0-3,7");
        }

        return number < Bound ? number : throw new CgroupException($"{what} {Shorten(text)}: {number} is beyond {Bound - 1}, the most a kernel has");
    }

    private static string Shorten(string text) => text.Length <= 60 ? text : text[..60] + "…";
}
