using System.CommandLine;
using Hull.Cli.Parsing;
using Hull.Cli.Templates;

namespace Hull.Cli.Commands;

/// <summary>The <c>--format</c> flags.</summary>
internal static class Formats
{
    /// <summary>Of commands that print one object.</summary>
    public static Option<string?> Option() => Flags.Text(
        "--format", "string", "Format output using a custom template: 'json': Print in JSON format, 'TEMPLATE': Print output using the given Go template", "-f");

    /// <summary>Of commands that print a table.</summary>
    public static Option<string?> TableOption() => Flags.Text(
        "--format", "string", "Format output using a custom template: 'table': Print output in table format with column headers (default), 'table TEMPLATE': Print output in table format using the given Go template, 'json': Print in JSON format, 'TEMPLATE': Print output using the given Go template");

    /// <summary>The template of one object; <c>json</c> prints it whole.</summary>
    /// <exception cref="TemplateException">The template cannot be parsed.</exception>
    public static Template Parse(string format) => Template.Parse(format == "json" ? "{{json .}}" : format);
}
