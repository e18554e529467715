namespace Hull.Runtime;

/// <summary>SCMP_CMP_*: how an argument is compared, as unsigned 64-bit values.</summary>
internal enum Comparison
{
    NotEqual,
    Less,
    LessOrEqual,
    Equal,
    GreaterOrEqual,
    Greater,
    /// <summary>(argument and Mask) = Value.</summary>
    MaskedEqual,
}

/// <summary>A condition on one argument.</summary>
/// <param name="Index">0 to 5.</param>
/// <param name="Mask">All ones but for <see cref="Comparison.MaskedEqual"/>.</param>
internal readonly record struct ArgumentCondition(int Index, Comparison Comparison, ulong Value, ulong Mask);

/// <summary>What to answer where all the conditions hold; none means always.</summary>
/// <param name="Answer">A value of <see cref="Hull.Linux.SeccompReturn"/> with its data.</param>
internal sealed record SyscallRule(uint Answer, ArgumentCondition[] Conditions)
{
    public bool IsUnconditional => Conditions.Length == 0;
}
