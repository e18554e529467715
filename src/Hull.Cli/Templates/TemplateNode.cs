namespace Hull.Cli.Templates;

/// <summary>What a template does, one node a text or action.</summary>
internal abstract record TemplateNode;

internal sealed record TextNode(string Text) : TemplateNode;

/// <summary><c>{{pipeline}}</c>: printed unless it only declares or assigns.</summary>
internal sealed record ActionNode(Pipeline Pipeline) : TemplateNode;

/// <summary><c>{{if}}</c> and <c>{{with}}</c>, which differs in setting the dot.</summary>
internal sealed record IfNode(Pipeline Condition, bool SetsDot, IReadOnlyList<TemplateNode> Then, IReadOnlyList<TemplateNode> Else) : TemplateNode;

internal sealed record RangeNode(Pipeline Source, IReadOnlyList<TemplateNode> Body, IReadOnlyList<TemplateNode> Else) : TemplateNode;

/// <summary><c>{{break}}</c> and <c>{{continue}}</c>.</summary>
internal sealed record JumpNode(bool IsBreak) : TemplateNode;

/// <summary>Commands, each fed the result of the one before as its last argument.</summary>
/// <param name="Variables">What the result is given to, at most two for a range.</param>
/// <param name="Declares">Whether the variables are new (<c>:=</c>) or set (<c>=</c>).</param>
internal sealed record Pipeline(IReadOnlyList<string> Variables, bool Declares, IReadOnlyList<CommandNode> Commands, string Source);

/// <summary>A function or operand with its arguments.</summary>
internal sealed record CommandNode(IReadOnlyList<Operand> Operands);

internal abstract record Operand;

internal sealed record ConstantOperand(TemplateValue Value) : Operand;

internal sealed record FunctionOperand(string Name) : Operand;

/// <summary>Fields of a value: of the dot, of a variable or of a pipeline in parentheses.</summary>
/// <param name="Root">Null for the dot.</param>
internal sealed record FieldOperand(Operand? Root, IReadOnlyList<string> Names) : Operand;

internal sealed record VariableOperand(string Name) : Operand;

internal sealed record PipelineOperand(Pipeline Pipeline) : Operand;
