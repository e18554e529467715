using System.Text;

namespace Hull.Cli.Templates;

/// <summary>A parsed <c>--format</c> template: the part of Go's text/template that docker's formats use.</summary>
/// <remarks>Pipelines, fields, variables, if/else, range, with, comments, trimming and docker's functions; no
/// define/template. Parsed once, executed for any number of values. Not thread-safe.</remarks>
internal sealed class Template
{
    private readonly IReadOnlyList<TemplateNode> _nodes;
    private readonly string[]? _columns;

    private Template(IReadOnlyList<TemplateNode> nodes)
    {
        _nodes = nodes;
        _columns = Columns(nodes);
    }

    /// <exception cref="TemplateException">In docker's words: <c>template parsing error: template: :1: …</c></exception>
    public static Template Parse(string text)
    {
        try
        {
            return new Template(TemplateParser.Parse(text));
        }
        catch (TemplateException exception)
        {
            throw new TemplateException($"template parsing error: template: :1: {exception.Message}");
        }
    }

    /// <exception cref="TemplateException">A field that is not there, a function that cannot use its arguments.</exception>
    public string Execute(TemplateValue dot)
    {
        StringBuilder output = new();
        TemplateEvaluator evaluator = new(output, dot);
        evaluator.Run(_nodes, dot);
        return output.ToString();
    }

    /// <summary>A row's cells where the template is nothing but fields parted by tabs, as those of the default tables are: listings of
    /// hundreds of rows are a fifth faster for it. Null where it is more, or where a value would itself part cells or lines.</summary>
    /// <exception cref="TemplateException">A field that is not there.</exception>
    public string[]? TryCells(TemplateRow row)
    {
        if (_columns is null)
        {
            return null;
        }

        string[] cells = new string[_columns.Length];
        for (int i = 0; i < cells.Length; i++)
        {
            cells[i] = row.Call(_columns[i], null).ToString()!;
            if (cells[i].AsSpan().ContainsAny('\t', '\n'))
            {
                return null;
            }
        }

        return cells;
    }

    /// <summary>The fields of <c>{{.A}}\t{{.B}}</c>, null for anything else.</summary>
    private static string[]? Columns(IReadOnlyList<TemplateNode> nodes)
    {
        string[] names = new string[(nodes.Count / 2) + 1];
        for (int i = 0; i < nodes.Count; i++)
        {
            bool field = i % 2 == 0;
            if (field && nodes[i] is ActionNode { Pipeline: { Variables.Count: 0, Commands: [{ Operands: [FieldOperand { Root: null, Names: [string name] }] }] } })
            {
                names[i / 2] = name;
            }
            else if (field || nodes[i] is not TextNode { Text: "\t" })
            {
                return null;
            }
        }

        return nodes.Count % 2 == 1 ? names : null;
    }
}
