using Hull.Cli.Templates;

namespace Hull.Cli.Output;

/// <summary>Rows as a table, as one JSON document a line, or through a template, as <c>--format</c> says.</summary>
internal sealed class Listing
{
    private const string TableKeyword = "table";

    private readonly Template _template;
    private readonly bool _isTable;
    private readonly bool _isJson;

    private Listing(Template template, bool isTable, bool isJson)
    {
        _template = template;
        _isTable = isTable;
        _isJson = isJson;
    }

    /// <param name="format">The flag's value; null or empty for the default table.</param>
    /// <param name="columns">The default table: a template whose cells are parted by tabs.</param>
    /// <param name="quiet">The template of <c>--quiet</c>; null where it was not given. A table's format gives way to it.</param>
    /// <exception cref="TemplateException">The template cannot be parsed.</exception>
    public static Listing Parse(string? format, string columns, string? quiet = null)
    {
        string text = format is null ? "" : format.Trim(' ').Replace("\\t", "\t", StringComparison.Ordinal).Replace("\\n", "\n", StringComparison.Ordinal);
        bool bare = text.Length == 0 || text == TableKeyword;
        if (quiet is not null && (bare || text.StartsWith(TableKeyword, StringComparison.Ordinal)))
        {
            return new Listing(Template.Parse(quiet), isTable: false, isJson: false);
        }

        if (bare)
        {
            return new Listing(Template.Parse(columns), isTable: true, isJson: false);
        }

        if (text == "json")
        {
            return new Listing(Template.Parse("{{json .}}"), isTable: false, isJson: true);
        }

        bool table = text.StartsWith(TableKeyword, StringComparison.Ordinal);
        return new Listing(Template.Parse(table ? text[TableKeyword.Length..].Trim() : text), table, isJson: false);
    }

    /// <summary>Whether the rows are for programs, so that nothing else may be written among them.</summary>
    public bool IsJson => _isJson;

    /// <exception cref="TemplateException">A row has no such field.</exception>
    public void Write(TextWriter output, IReadOnlyList<TemplateField> fields, IEnumerable<TemplateRow> rows)
    {
        if (!_isTable)
        {
            foreach (TemplateRow row in rows)
            {
                output.Write(_template.Execute(row));
                output.Write('\n');
            }

            return;
        }

        TabWriter table = new();
        table.Add(_template.Execute(TemplateRow.Header(fields)));
        foreach (TemplateRow row in rows)
        {
            if (_template.TryCells(row) is { } cells)
            {
                table.AddRow(cells);
            }
            else
            {
                table.Add(_template.Execute(row));
            }
        }

        table.WriteTo(output);
    }
}
