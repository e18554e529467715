using System.Text;

namespace Hull.Cli.Templates;

/// <summary>A parsed <c>--format</c> template: the part of Go's text/template that docker's formats use.</summary>
/// <remarks>Pipelines, fields, variables, if/else, range, with, comments, trimming and docker's functions; no
/// define/template. Parsed once, executed for any number of values. Not thread-safe.</remarks>
internal sealed class Template
{
    private readonly IReadOnlyList<TemplateNode> _nodes;

    private Template(IReadOnlyList<TemplateNode> nodes) => _nodes = nodes;

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
}
