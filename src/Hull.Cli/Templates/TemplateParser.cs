using System.Globalization;

namespace Hull.Cli.Templates;

/// <summary>Builds the nodes of a template; recursive descent, one pass.</summary>
internal sealed class TemplateParser
{
    private readonly string _template;
    private readonly List<TemplateToken> _tokens;
    private readonly List<string> _variables = ["$"];
    private int _next;
    private int _loops;

    private TemplateParser(string template)
    {
        _template = template;
        _tokens = TemplateLexer.Read(template);
    }

    private TemplateToken Peek => _tokens[_next];

    /// <exception cref="TemplateException">With the reason, without a head.</exception>
    public static IReadOnlyList<TemplateNode> Parse(string template)
    {
        TemplateParser parser = new(template);
        List<TemplateNode> nodes = parser.ParseList(out string end);
        return end.Length == 0 ? nodes : throw new TemplateException($"unexpected {{{{{end}}}}}");
    }

    /// <summary>Nodes up to an <c>end</c>, an <c>else</c> (neither its closing delimiter is consumed) or the template's end.</summary>
    private List<TemplateNode> ParseList(out string end)
    {
        List<TemplateNode> nodes = [];
        while (true)
        {
            TemplateToken token = _tokens[_next++];
            switch (token.Kind)
            {
                case TemplateTokenKind.End:
                    end = "";
                    return nodes;
                case TemplateTokenKind.Text:
                    nodes.Add(new TextNode(token.Text));
                    continue;
            }

            if (Peek is { Kind: TemplateTokenKind.Name, Text: "end" or "else" })
            {
                end = _tokens[_next++].Text;
                return nodes;
            }

            nodes.Add(ParseAction());
        }
    }

    private TemplateNode ParseAction()
    {
        string keyword = Peek.Kind == TemplateTokenKind.Name ? Peek.Text : "";
        switch (keyword)
        {
            case "if":
            case "with":
                _next++;
                return ParseIf(keyword);
            case "range":
                _next++;
                return ParseRange();
            case "break":
            case "continue":
                _next++;
                if (_loops == 0)
                {
                    throw new TemplateException($"{{{{{keyword}}}}} outside {{{{range}}}}");
                }

                Expect(TemplateTokenKind.Close, keyword);
                return new JumpNode(keyword == "break");
            case "define":
            case "template":
            case "block":
                throw new TemplateException($"{{{{{keyword}}}}} is not supported in a format");
            default:
                Pipeline pipeline = ParsePipeline("command", inRange: false);
                Expect(TemplateTokenKind.Close, "command");
                return new ActionNode(pipeline);
        }
    }

    private IfNode ParseIf(string keyword)
    {
        int scope = _variables.Count;
        Pipeline condition = ParsePipeline(keyword, inRange: false);
        Expect(TemplateTokenKind.Close, keyword);
        List<TemplateNode> then = ParseList(out string end);
        IReadOnlyList<TemplateNode> otherwise = [];
        if (end == "else" && Peek is { Kind: TemplateTokenKind.Name } word && (word.Text == "if" || word.Text == "with"))
        {
            // {{else if}} shares the {{end}} of the first.
            _next++;
            otherwise = [ParseIf(word.Text)];
        }
        else
        {
            otherwise = ParseElse(end, keyword);
        }

        _variables.RemoveRange(scope, _variables.Count - scope);
        return new IfNode(condition, keyword == "with", then, otherwise);
    }

    private RangeNode ParseRange()
    {
        int scope = _variables.Count;
        Pipeline source = ParsePipeline("range", inRange: true);
        Expect(TemplateTokenKind.Close, "range");
        _loops++;
        List<TemplateNode> body = ParseList(out string end);
        _loops--;
        List<TemplateNode> otherwise = ParseElse(end, "range");
        _variables.RemoveRange(scope, _variables.Count - scope);
        return new RangeNode(source, body, otherwise);
    }

    private List<TemplateNode> ParseElse(string end, string keyword)
    {
        List<TemplateNode> otherwise = [];
        if (end == "else")
        {
            Expect(TemplateTokenKind.Close, "else");
            otherwise = ParseList(out end);
        }

        if (end != "end")
        {
            throw new TemplateException(end.Length == 0 ? "unexpected EOF" : $"expected end; found {{{{{end}}}}}");
        }

        Expect(TemplateTokenKind.Close, keyword);
        return otherwise;
    }

    private Pipeline ParsePipeline(string context, bool inRange)
    {
        int start = Peek.Position;
        List<string> variables = ParseDeclaration(inRange, out bool declares);
        List<CommandNode> commands = [];
        while (true)
        {
            List<Operand> operands = ParseOperands(context);
            if (operands.Count == 0)
            {
                throw new TemplateException(commands.Count == 0 ? $"missing value for {context}" : $"missing command in pipeline for {context}");
            }

            if (commands.Count > 0 && operands[0] is ConstantOperand)
            {
                throw new TemplateException($"non executable command in pipeline stage {commands.Count + 1}");
            }

            commands.Add(new CommandNode(operands));
            if (Peek.Kind != TemplateTokenKind.Pipe)
            {
                break;
            }

            _next++;
        }

        if (declares)
        {
            _variables.AddRange(variables);
        }

        return new Pipeline(variables, declares, commands, _template[start..Peek.Position].Trim());
    }

    /// <summary><c>$x :=</c>, <c>$i, $x :=</c> or <c>$x =</c>; nothing where the pipeline gives its value to no variable.</summary>
    private List<string> ParseDeclaration(bool inRange, out bool declares)
    {
        declares = false;
        List<string> variables = [];
        int at = _next;
        while (_tokens[at].Kind == TemplateTokenKind.Variable)
        {
            variables.Add(_tokens[at].Text);
            at++;
            if (inRange && variables.Count == 1 && _tokens[at].Kind == TemplateTokenKind.Comma)
            {
                at++;
                continue;
            }

            if (_tokens[at].Kind is TemplateTokenKind.Declare or TemplateTokenKind.Assign)
            {
                declares = _tokens[at].Kind == TemplateTokenKind.Declare;
                _next = at + 1;
                return variables;
            }

            break;
        }

        return [];
    }

    private List<Operand> ParseOperands(string context)
    {
        List<Operand> operands = [];
        while (true)
        {
            TemplateToken token = Peek;
            if (token.Kind is TemplateTokenKind.Close or TemplateTokenKind.Pipe or TemplateTokenKind.CloseParenthesis)
            {
                return operands;
            }

            Operand operand = ParseOperand(context);
            if (Peek is { Kind: TemplateTokenKind.Field, SpaceBefore: false } field && operand is not (ConstantOperand or FieldOperand))
            {
                _next++;
                operand = new FieldOperand(operand, field.Text.Split('.'));
            }

            operands.Add(operand);
        }
    }

    private Operand ParseOperand(string context)
    {
        TemplateToken token = _tokens[_next++];
        switch (token.Kind)
        {
            case TemplateTokenKind.Field:
                return new FieldOperand(null, token.Text.Length == 0 ? [] : token.Text.Split('.'));
            case TemplateTokenKind.Variable:
                return _variables.Contains(token.Text)
                    ? new VariableOperand(token.Text)
                    : throw new TemplateException($"undefined variable {Output.GoText.Quote(token.Text)}");
            case TemplateTokenKind.String:
                return new ConstantOperand(TemplateValue.Of(token.Text));
            case TemplateTokenKind.Number:
                return new ConstantOperand(ParseNumber(token.Text));
            case TemplateTokenKind.Name when token.Text is "true" or "false":
                return new ConstantOperand(TemplateValue.Of(token.Text == "true"));
            case TemplateTokenKind.Name when token.Text == "nil":
                return new ConstantOperand(TemplateValue.Nil);
            case TemplateTokenKind.Name:
                return TemplateFunctions.Exists(token.Text)
                    ? new FunctionOperand(token.Text)
                    : throw new TemplateException($"function {Output.GoText.Quote(token.Text)} not defined");
            case TemplateTokenKind.OpenParenthesis:
                Pipeline inner = ParsePipeline("parenthesized pipeline", inRange: false);
                Expect(TemplateTokenKind.CloseParenthesis, "parenthesized pipeline");
                return new PipelineOperand(inner);
            case TemplateTokenKind.End:
                throw new TemplateException("unexpected EOF");
            default:
                throw new TemplateException($"unexpected {Output.GoText.Quote(token.Text)} in {context}");
        }
    }

    private static TemplateValue ParseNumber(string text)
    {
        string plain = text.Replace("_", "", StringComparison.Ordinal);
        if (long.TryParse(plain, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out long whole)
            || (plain.StartsWith("0x", StringComparison.OrdinalIgnoreCase)
                && long.TryParse(plain.AsSpan(2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out whole)))
        {
            return TemplateValue.Of(whole);
        }

        return double.TryParse(plain, NumberStyles.Float, CultureInfo.InvariantCulture, out double real)
            ? TemplateValue.Of(real)
            : throw new TemplateException($"bad number syntax: {Output.GoText.Quote(text)}");
    }

    private void Expect(TemplateTokenKind kind, string context)
    {
        TemplateToken token = _tokens[_next++];
        if (token.Kind != kind)
        {
            throw new TemplateException(token.Kind == TemplateTokenKind.End
                ? "unexpected EOF"
                : $"unexpected {Output.GoText.Quote(token.Text)} in {context}");
        }
    }
}
