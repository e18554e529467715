using System.Globalization;

namespace Hull.Runtime.Init;

/// <summary>A register of the child stage: the result of one step, an argument of later ones.</summary>
internal readonly record struct Slot(int Index);

/// <summary>One argument of a step.</summary>
internal readonly record struct PlanArgument
{
    internal enum Kind : byte
    {
        Number,
        Text,
        Slot,
        Memory,
    }

    /// <summary>A string, or flags, which become one when somebody reads them: an enum's names cost 0.1 ms to look up.</summary>
    private readonly object? _word;

    private PlanArgument(Kind kind, nint value, object? word)
    {
        Form = kind;
        Value = value;
        _word = word;
    }

    internal Kind Form { get; }

    /// <summary>The number, the slot's index or the address.</summary>
    internal nint Value { get; }

    /// <summary>The string, or for numbers and memory the words that a reader sees instead.</summary>
    internal string? Text => _word?.ToString();

    public static implicit operator PlanArgument(nint value) => new(Kind.Number, value, null);

    public static implicit operator PlanArgument(int value) => new(Kind.Number, value, null);

    public static implicit operator PlanArgument(uint value) => new(Kind.Number, (nint)value, null);

    public static implicit operator PlanArgument(string text) => new(Kind.Text, 0, text);

    public static implicit operator PlanArgument(Slot slot) => new(Kind.Slot, slot.Index, null);

    /// <summary>A number that reads as a word: a flag set, a capability.</summary>
    internal static PlanArgument Named(nint value, string word) => new(Kind.Number, value, word);

    internal static PlanArgument Named(nint value, Enum flags) => new(Kind.Number, value, flags);

    /// <summary>The address of native memory that outlives the plan.</summary>
    internal static unsafe PlanArgument Memory(void* address, string word) => new(Kind.Memory, (nint)address, word);

    internal static unsafe PlanArgument Memory(void* address, Enum flags) => new(Kind.Memory, (nint)address, flags);

    public override string ToString() => Form switch
    {
        Kind.Text => $"\"{Text}\"",
        Kind.Slot => $"${Value}",
        Kind.Memory => $"&{Text}",
        _ => Text ?? Value.ToString(CultureInfo.InvariantCulture),
    };
}
