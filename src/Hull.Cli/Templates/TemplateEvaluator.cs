using System.Text;

namespace Hull.Cli.Templates;

/// <summary>Walks the nodes of one template for one value.</summary>
internal sealed class TemplateEvaluator
{
    private readonly StringBuilder _output;
    private readonly List<KeyValuePair<string, TemplateValue>> _variables = [];

    public TemplateEvaluator(StringBuilder output, TemplateValue dot)
    {
        _output = output;
        _variables.Add(new("$", dot));
    }

    /// <summary>How a list of nodes ended.</summary>
    private enum Flow
    {
        Next,
        Continue,
        Break,
    }

    public void Run(IReadOnlyList<TemplateNode> nodes, TemplateValue dot) => RunList(nodes, dot);

    private Flow RunList(IReadOnlyList<TemplateNode> nodes, TemplateValue dot)
    {
        foreach (TemplateNode node in nodes)
        {
            Flow flow = RunNode(node, dot);
            if (flow != Flow.Next)
            {
                return flow;
            }
        }

        return Flow.Next;
    }

    private Flow RunNode(TemplateNode node, TemplateValue dot)
    {
        switch (node)
        {
            case TextNode text:
                _output.Append(text.Text);
                return Flow.Next;
            case ActionNode action:
                TemplateValue value = Evaluate(action.Pipeline, dot);
                if (action.Pipeline.Variables.Count == 0)
                {
                    _output.Append(value);
                }

                return Flow.Next;
            case IfNode branch:
                int scope = _variables.Count;
                TemplateValue condition = Evaluate(branch.Condition, dot);
                Flow flow = condition.IsTrue
                    ? RunList(branch.Then, branch.SetsDot ? condition : dot)
                    : RunList(branch.Else, dot);
                _variables.RemoveRange(scope, _variables.Count - scope);
                return flow;
            case RangeNode range:
                return RunRange(range, dot);
            case JumpNode jump:
                return jump.IsBreak ? Flow.Break : Flow.Continue;
            default:
                throw new InvalidOperationException($"no such template node: {node.GetType().Name}");
        }
    }

    private Flow RunRange(RangeNode range, TemplateValue dot)
    {
        int scope = _variables.Count;
        TemplateValue source = EvaluateCommands(range.Source, dot);
        List<KeyValuePair<TemplateValue, TemplateValue>> pairs = Pairs(source);
        foreach ((TemplateValue key, TemplateValue value) in pairs)
        {
            int inner = _variables.Count;
            if (range.Source.Variables.Count == 2)
            {
                Give(range.Source.Variables[0], key, range.Source.Declares);
                Give(range.Source.Variables[1], value, range.Source.Declares);
            }
            else if (range.Source.Variables.Count == 1)
            {
                Give(range.Source.Variables[0], value, range.Source.Declares);
            }

            Flow flow = RunList(range.Body, value);
            _variables.RemoveRange(inner, _variables.Count - inner);
            if (flow == Flow.Break)
            {
                break;
            }
        }

        Flow last = pairs.Count == 0 ? RunList(range.Else, dot) : Flow.Next;
        _variables.RemoveRange(scope, _variables.Count - scope);
        return last;
    }

    /// <summary>The elements of a list with their indices, of a map by key order, or the numbers under an integer.</summary>
    private static List<KeyValuePair<TemplateValue, TemplateValue>> Pairs(TemplateValue source)
    {
        List<KeyValuePair<TemplateValue, TemplateValue>> pairs = [];
        switch (source.Kind)
        {
            case TemplateKind.List:
                for (int i = 0; i < source.Items.Count; i++)
                {
                    pairs.Add(new(TemplateValue.Of((long)i), source.Items[i]));
                }

                break;
            case TemplateKind.Map:
                for (int i = 0; i < source.Keys.Count; i++)
                {
                    pairs.Add(new(TemplateValue.Of(source.Keys[i]), source.Items[i]));
                }

                pairs.Sort((a, b) => string.CompareOrdinal(a.Key.Text, b.Key.Text));
                break;
            case TemplateKind.Integer:
                for (long i = 0; i < source.Integer; i++)
                {
                    pairs.Add(new(TemplateValue.Of(i), TemplateValue.Of(i)));
                }

                break;
            case TemplateKind.Nil or TemplateKind.Missing:
                break;
            default:
                throw new TemplateException($"range can't iterate over {source}");
        }

        return pairs;
    }

    private void Give(string name, TemplateValue value, bool declares)
    {
        if (!declares)
        {
            for (int i = _variables.Count - 1; i >= 0; i--)
            {
                if (_variables[i].Key == name)
                {
                    _variables[i] = new(name, value);
                    return;
                }
            }
        }

        _variables.Add(new(name, value));
    }

    private TemplateValue Evaluate(Pipeline pipeline, TemplateValue dot)
    {
        TemplateValue value = EvaluateCommands(pipeline, dot);
        if (pipeline.Variables.Count > 0)
        {
            Give(pipeline.Variables[0], value, pipeline.Declares);
        }

        return value;
    }

    private TemplateValue EvaluateCommands(Pipeline pipeline, TemplateValue dot)
    {
        TemplateValue? value = null;
        foreach (CommandNode command in pipeline.Commands)
        {
            try
            {
                value = Evaluate(command, dot, value);
            }
            catch (TemplateException exception) when (!exception.Message.StartsWith("template: ", StringComparison.Ordinal))
            {
                throw new TemplateException($"template: :1: executing \"\" at <{pipeline.Source}>: {exception.Message}");
            }
        }

        return value!;
    }

    private TemplateValue Evaluate(CommandNode command, TemplateValue dot, TemplateValue? last)
    {
        Operand first = command.Operands[0];
        if (first is FunctionOperand { Name: "and" or "or" } choice)
        {
            return EvaluateChoice(choice.Name == "and", command, dot, last);
        }

        int count = command.Operands.Count - 1 + (last is null ? 0 : 1);
        TemplateValue[] arguments = count == 0 ? [] : new TemplateValue[count];
        for (int i = 1; i < command.Operands.Count; i++)
        {
            arguments[i - 1] = Evaluate(command.Operands[i], dot);
        }

        if (last is not null)
        {
            arguments[^1] = last;
        }

        if (first is FunctionOperand function)
        {
            return TemplateFunctions.Call(function.Name, arguments);
        }

        if (count == 0)
        {
            return Evaluate(first, dot);
        }

        // A field with arguments is a method, and rows have such with one argument.
        if (count == 1 && first is FieldOperand { Names.Count: > 0 } field)
        {
            TemplateValue owner = field.Root is null ? dot : Evaluate(field.Root, dot);
            for (int i = 0; i < field.Names.Count - 1; i++)
            {
                owner = Field(owner, field.Names[i]);
            }

            if (owner is TemplateRow row)
            {
                return row.Call(field.Names[^1], arguments[0].ToString());
            }
        }

        throw new TemplateException($"can't give argument to non-function {Describe(first)}");
    }

    /// <summary>The first argument that decides; those after it are not evaluated (Go 1.18).</summary>
    private TemplateValue EvaluateChoice(bool and, CommandNode command, TemplateValue dot, TemplateValue? last)
    {
        TemplateValue? value = null;
        for (int i = 1; i < command.Operands.Count; i++)
        {
            value = Evaluate(command.Operands[i], dot);
            if (value.IsTrue != and)
            {
                return value;
            }
        }

        return last ?? value ?? throw new TemplateException($"wrong number of args for {(and ? "and" : "or")}: want at least 1 got 0");
    }

    private TemplateValue Evaluate(Operand operand, TemplateValue dot)
    {
        switch (operand)
        {
            case ConstantOperand constant:
                return constant.Value;
            case VariableOperand variable:
                for (int i = _variables.Count - 1; i >= 0; i--)
                {
                    if (_variables[i].Key == variable.Name)
                    {
                        return _variables[i].Value;
                    }
                }

                return TemplateValue.Nil;
            case PipelineOperand inner:
                return Evaluate(inner.Pipeline, dot);
            case FunctionOperand function:
                return TemplateFunctions.Call(function.Name, []);
            case FieldOperand field:
                TemplateValue value = field.Root is null ? dot : Evaluate(field.Root, dot);
                foreach (string name in field.Names)
                {
                    value = Field(value, name);
                }

                return value;
            default:
                throw new InvalidOperationException($"no such template operand: {operand.GetType().Name}");
        }
    }

    private static TemplateValue Field(TemplateValue value, string name)
    {
        switch (value.Kind)
        {
            case TemplateKind.Map:
                return value.Member(name) ?? throw new TemplateException($"map has no entry for key {Output.GoText.Quote(name)}");
            case TemplateKind.Nil:
                throw new TemplateException($"nil pointer evaluating interface {{}}.{name}");
            case TemplateKind.Missing:
                return TemplateValue.Missing;
            default:
                throw new TemplateException($"can't evaluate field {name} in type {TemplateFunctions.TypeName(value)}");
        }
    }

    private static string Describe(Operand operand) => operand switch
    {
        ConstantOperand constant => constant.Value.ToString(),
        VariableOperand variable => variable.Name,
        FieldOperand field => "." + string.Join('.', field.Names),
        _ => "pipeline",
    };
}
