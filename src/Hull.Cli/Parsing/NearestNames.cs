namespace Hull.Cli.Parsing;

/// <summary>Finds what a mistyped name may have meant.</summary>
internal static class NearestNames
{
    /// <summary>The names closest to <paramref name="wanted"/>, best first: at most three that differ in at most a third
    /// of their letters, or begin with it.</summary>
    public static IReadOnlyList<string> Of(string wanted, IEnumerable<string> names)
    {
        int limit = Math.Max(1, wanted.Length / 3);
        List<(int Distance, string Name)> near = [];
        foreach (string name in names)
        {
            int distance = Distance(wanted, name);
            if (distance <= limit || (wanted.Length > 1 && name.StartsWith(wanted, StringComparison.Ordinal)))
            {
                near.Add((distance, name));
            }
        }

        near.Sort((a, b) => a.Distance != b.Distance ? a.Distance.CompareTo(b.Distance) : string.CompareOrdinal(a.Name, b.Name));
        List<string> best = [];
        for (int i = 0; i < near.Count && i < 3; i++)
        {
            best.Add(near[i].Name);
        }

        return best;
    }

    /// <summary>Insertions, deletions, replacements and swaps of neighbours between two words.</summary>
    internal static int Distance(string left, string right)
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
}
