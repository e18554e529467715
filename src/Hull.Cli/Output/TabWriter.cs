using System.Globalization;

namespace Hull.Cli.Output;

/// <summary>Lays out tab-separated cells in columns, as docker's tables are laid out: a column is as wide as its widest
/// cell and three spaces, ten at the least; the last cell of a line is not padded.</summary>
/// <remarks>A column is a run of neighbouring lines that have a cell ended by a tab at that place, so that lines with
/// fewer cells part the columns of those around them (Go, text/tabwriter, "elastic tabstops"). Not thread-safe.</remarks>
internal sealed class TabWriter
{
    private const int Padding = 3;

    private readonly int _minimumWidth;
    private readonly List<string[]> _lines = [];

    /// <param name="minimumWidth">Of a column with its spaces.</param>
    public TabWriter(int minimumWidth = 10) => _minimumWidth = minimumWidth;

    /// <summary>Adds text: one or more lines, cells parted by tabs.</summary>
    public void Add(string text)
    {
        string trimmed = text.EndsWith('\n') ? text[..^1] : text;
        foreach (string line in trimmed.Split('\n'))
        {
            _lines.Add(line.Split('\t'));
        }
    }

    public void AddRow(params string[] cells) => _lines.Add(cells);

    public void WriteTo(TextWriter output)
    {
        int[][] widths = new int[_lines.Count][];
        for (int i = 0; i < widths.Length; i++)
        {
            widths[i] = new int[_lines[i].Length];
        }

        Measure(widths, 0, _lines.Count, 0);
        for (int i = 0; i < widths.Length; i++)
        {
            string[] cells = _lines[i];
            for (int column = 0; column < cells.Length; column++)
            {
                output.Write(cells[column]);
                if (column + 1 < cells.Length)
                {
                    WriteSpaces(output, widths[i][column] - Width(cells[column]));
                }
            }

            output.Write('\n');
        }
    }

    private static void WriteSpaces(TextWriter output, int count)
    {
        const string spaces = "                                                                ";
        for (; count > 0; count -= spaces.Length)
        {
            output.Write(spaces.AsSpan(0, Math.Min(count, spaces.Length)));
        }
    }

    /// <summary>Cells a text takes on a terminal: grapheme clusters, wide East Asian ones counted as one as docker does.</summary>
    internal static int Width(string text)
    {
        foreach (char c in text)
        {
            if (c > 0x7f)
            {
                return new StringInfo(text).LengthInTextElements;
            }
        }

        return text.Length;
    }

    private void Measure(int[][] widths, int from, int to, int column)
    {
        for (int line = from; line < to; line++)
        {
            if (column >= _lines[line].Length - 1)
            {
                continue;
            }

            int end = line;
            int width = _minimumWidth;
            for (; end < to && column < _lines[end].Length - 1; end++)
            {
                width = Math.Max(width, Width(_lines[end][column]) + Padding);
            }

            for (int i = line; i < end; i++)
            {
                widths[i][column] = width;
            }

            Measure(widths, line, end, column + 1);
            line = end - 1;
        }
    }
}
