namespace Hull.Runtime;

/// <summary>The known names that a mistyped one most resembles, for "did you mean".</summary>
public static class NearestNames
{
    private const int Most = 3;

    /// <summary>The candidate that is the fewest mistakes away; the first of several.</summary>
    /// <exception cref="ArgumentException">There are no candidates.</exception>
    public static string First(string wanted, IEnumerable<string> candidates) =>
        candidates.MinBy(candidate => Distance(wanted, candidate)) ?? throw new ArgumentException("no candidates", nameof(candidates));

    /// <summary>At most three names, best first, that differ from <paramref name="wanted"/> in at most a third of its letters, or begin with it.</summary>
    public static IReadOnlyList<string> Of(string wanted, IEnumerable<string> names)
    {
        int limit = Math.Max(1, wanted.Length / 3);
        List<Candidate> near = [];
        foreach (string name in names)
        {
            int distance = Distance(wanted, name);
            if (distance <= limit || (wanted.Length > 1 && name.StartsWith(wanted, StringComparison.Ordinal)))
            {
                near.Add(new Candidate(name, distance));
            }
        }

        near.Sort((a, b) => a.Distance != b.Distance ? a.Distance.CompareTo(b.Distance) : string.CompareOrdinal(a.Name, b.Name));
        return [.. near.Take(Most).Select(candidate => candidate.Name)];
    }

    /// <summary>Insertions, deletions, replacements and swaps of neighbours between two words (optimal string alignment).</summary>
    internal static int Distance(ReadOnlySpan<char> left, ReadOnlySpan<char> right)
    {
        int[,] steps = new int[left.Length + 1, right.Length + 1];
        for (int i = 0; i <= left.Length; i++)
        {
            for (int j = 0; j <= right.Length; j++)
            {
                if (i == 0 || j == 0)
                {
                    steps[i, j] = i + j;
                    continue;
                }

                int replace = steps[i - 1, j - 1] + (left[i - 1] == right[j - 1] ? 0 : 1);
                steps[i, j] = Math.Min(replace, Math.Min(steps[i - 1, j], steps[i, j - 1]) + 1);
                if (i > 1 && j > 1 && left[i - 1] == right[j - 2] && left[i - 2] == right[j - 1])
                {
                    steps[i, j] = Math.Min(steps[i, j], steps[i - 2, j - 2] + 1);
                }
            }
        }

        return steps[left.Length, right.Length];
    }

    private sealed record Candidate(string Name, int Distance);
}
