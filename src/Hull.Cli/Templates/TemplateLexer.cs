using System.Text;

namespace Hull.Cli.Templates;

/// <summary>Cuts a template into tokens (Go, text/template/parse, lex.go, tells the rules).</summary>
internal static class TemplateLexer
{
    private const string White = " \t\r\n";

    public static List<TemplateToken> Read(string template)
    {
        List<TemplateToken> tokens = [];
        int at = 0;
        bool trimLeft = false;
        while (true)
        {
            int open = template.IndexOf("{{", at, StringComparison.Ordinal);
            ReadOnlySpan<char> text = open < 0 ? template.AsSpan(at) : template.AsSpan(at, open - at);
            bool trimRight = open >= 0 && open + 3 < template.Length && template[open + 2] == '-'
                && White.Contains(template[open + 3], StringComparison.Ordinal);
            text = trimLeft ? text.TrimStart(White) : text;
            text = trimRight ? text.TrimEnd(White) : text;
            if (text.Length > 0)
            {
                tokens.Add(new TemplateToken(TemplateTokenKind.Text, text.ToString(), at, false));
            }

            if (open < 0)
            {
                tokens.Add(new TemplateToken(TemplateTokenKind.End, "", template.Length, false));
                return tokens;
            }

            at = open + (trimRight ? 3 : 2);
            int start = SkipWhite(template, at);
            if (template.AsSpan(start).StartsWith("/*"))
            {
                (at, trimLeft) = SkipComment(template, start);
                continue;
            }

            tokens.Add(new TemplateToken(TemplateTokenKind.Open, "{{", open, false));
            (at, trimLeft) = ReadAction(template, at, tokens);
        }
    }

    private static (int At, bool Trim) SkipComment(string template, int start)
    {
        int end = template.IndexOf("*/", start, StringComparison.Ordinal);
        if (end < 0)
        {
            throw new TemplateException("unclosed comment");
        }

        int close = SkipWhite(template, end + 2);
        bool trim = close > end + 2 && template.AsSpan(close).StartsWith("-}}");
        close += trim ? 1 : 0;
        return template.AsSpan(close).StartsWith("}}")
            ? (close + 2, trim)
            : throw new TemplateException("comment ends before closing delimiter");
    }

    /// <summary>The tokens up to and with the closing delimiter.</summary>
    private static (int At, bool Trim) ReadAction(string template, int start, List<TemplateToken> tokens)
    {
        int at = start;
        while (true)
        {
            int before = at;
            at = SkipWhite(template, at);
            bool space = at > before;
            ReadOnlySpan<char> rest = template.AsSpan(at);
            if (rest.IsEmpty)
            {
                throw new TemplateException("unclosed action");
            }

            if (rest.StartsWith("}}") || (space && rest.StartsWith("-}}")))
            {
                bool trim = rest[0] == '-';
                tokens.Add(new TemplateToken(TemplateTokenKind.Close, "}}", at, space));
                return (at + (trim ? 3 : 2), trim);
            }

            TemplateToken token = ReadToken(template, ref at, space);
            tokens.Add(token);
        }
    }

    private static TemplateToken ReadToken(string template, ref int at, bool space)
    {
        int start = at;
        char c = template[at];
        char next = at + 1 < template.Length ? template[at + 1] : '\0';
        switch (c)
        {
            case '|':
                at++;
                return new TemplateToken(TemplateTokenKind.Pipe, "|", start, space);
            case '(':
                at++;
                return new TemplateToken(TemplateTokenKind.OpenParenthesis, "(", start, space);
            case ')':
                at++;
                return new TemplateToken(TemplateTokenKind.CloseParenthesis, ")", start, space);
            case ',':
                at++;
                return new TemplateToken(TemplateTokenKind.Comma, ",", start, space);
            case '=':
                at++;
                return new TemplateToken(TemplateTokenKind.Assign, "=", start, space);
            case ':' when next == '=':
                at += 2;
                return new TemplateToken(TemplateTokenKind.Declare, ":=", start, space);
            case '"':
                return new TemplateToken(TemplateTokenKind.String, ReadQuoted(template, ref at), start, space);
            case '`':
                int end = template.IndexOf('`', at + 1);
                if (end < 0)
                {
                    throw new TemplateException("unterminated raw quoted string");
                }

                at = end + 1;
                return new TemplateToken(TemplateTokenKind.String, template[(start + 1)..end], start, space);
            case '$':
                at++;
                SkipName(template, ref at);
                return new TemplateToken(TemplateTokenKind.Variable, template[start..at], start, space);
            case '.' when !char.IsAsciiDigit(next):
                at++;
                SkipName(template, ref at);
                while (at + 1 < template.Length && template[at] == '.' && IsNameStart(template[at + 1]))
                {
                    at++;
                    SkipName(template, ref at);
                }

                return new TemplateToken(TemplateTokenKind.Field, template[(start + 1)..at], start, space);
            case var _ when IsNameStart(c):
                SkipName(template, ref at);
                return new TemplateToken(TemplateTokenKind.Name, template[start..at], start, space);
            case var _ when char.IsAsciiDigit(c) || ((c is '-' or '+' or '.') && char.IsAsciiDigit(next)):
                at++;
                while (at < template.Length && (char.IsAsciiLetterOrDigit(template[at]) || template[at] is '.' or '_'))
                {
                    at++;
                }

                return new TemplateToken(TemplateTokenKind.Number, template[start..at], start, space);
            default:
                throw new TemplateException($"unexpected {Output.GoText.Quote(c.ToString())} in command");
        }
    }

    private static string ReadQuoted(string template, ref int at)
    {
        StringBuilder builder = new();
        for (at++; at < template.Length && template[at] is not ('"' or '\n'); at++)
        {
            if (template[at] != '\\' || at + 1 == template.Length)
            {
                builder.Append(template[at]);
                continue;
            }

            at++;
            builder.Append(template[at] switch
            {
                'n' => '\n',
                't' => '\t',
                'r' => '\r',
                '\\' => '\\',
                '"' => '"',
                '\'' => '\'',
                _ => throw new TemplateException("invalid syntax in a quoted string"),
            });
        }

        if (at >= template.Length || template[at] != '"')
        {
            throw new TemplateException("unterminated quoted string");
        }

        at++;
        return builder.ToString();
    }

    private static int SkipWhite(string template, int at)
    {
        while (at < template.Length && White.Contains(template[at], StringComparison.Ordinal))
        {
            at++;
        }

        return at;
    }

    private static bool IsNameStart(char c) => char.IsLetter(c) || c == '_';

    private static void SkipName(string template, ref int at)
    {
        while (at < template.Length && (char.IsLetterOrDigit(template[at]) || template[at] == '_'))
        {
            at++;
        }
    }
}
