namespace Hull.Cli.Runtime;

/// <summary>One option of runc's command line.</summary>
/// <param name="Name">The long spelling, under which its values are kept.</param>
/// <param name="Letter">The short spelling, or null.</param>
/// <param name="Kind">Whether a value follows.</param>
internal sealed record RuntimeOption(string Name, string? Letter = null, OptionKind Kind = OptionKind.Value)
{
    public bool Is(string spelling) => spelling == Name || spelling == Letter;
}

/// <summary>What follows an option's name.</summary>
internal enum OptionKind
{
    /// <summary>A value, in the same word behind = or in the next one.</summary>
    Value,

    /// <summary>Nothing, or =true or =false.</summary>
    Flag,
}
