namespace Hull.Cli.Templates;

internal enum TemplateTokenKind
{
    /// <summary>Text outside of actions, already trimmed as <c>{{-</c> and <c>-}}</c> ask.</summary>
    Text,

    /// <summary><c>{{</c></summary>
    Open,

    /// <summary><c>}}</c></summary>
    Close,

    /// <summary>A chain of names after dots: <c>.</c>, <c>.State.Pid</c>; the text is without the first dot.</summary>
    Field,

    /// <summary><c>$</c>, <c>$x</c>; fields that follow are a Field token without a space between.</summary>
    Variable,

    /// <summary>A function's name or a keyword.</summary>
    Name,
    String,
    Number,
    Pipe,
    OpenParenthesis,
    CloseParenthesis,

    /// <summary><c>:=</c></summary>
    Declare,

    /// <summary><c>=</c></summary>
    Assign,
    Comma,
    End,
}

/// <summary>One token of a template.</summary>
/// <param name="Position">Characters from the template's start, for errors.</param>
/// <param name="SpaceBefore">Whether white space stood before it, which parts <c>$x .y</c> from <c>$x.y</c>.</param>
internal readonly record struct TemplateToken(TemplateTokenKind Kind, string Text, int Position, bool SpaceBefore);
