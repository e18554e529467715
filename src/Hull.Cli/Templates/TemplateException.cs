namespace Hull.Cli.Templates;

/// <summary>A <c>--format</c> template that cannot be parsed or executed, in the words of Go's text/template.</summary>
internal sealed class TemplateException : Exception
{
    public TemplateException(string message)
        : base(message)
    {
    }
}
