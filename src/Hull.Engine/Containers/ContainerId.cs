using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using Hull.Linux;

namespace Hull.Engine.Containers;

/// <summary>A container's id: 64 lower-case hexadecimal digits. Valid by construction, so that it can stand in a path.</summary>
public readonly record struct ContainerId
{
    public const int Length = 64;
    private static readonly SearchValues<char> HexDigits = SearchValues.Create("0123456789abcdef");
    private readonly string? _hex;

    private ContainerId(string hex) => _hex = hex;

    /// <summary>All 64 digits.</summary>
    public string Hex => _hex ?? throw new InvalidOperationException("no container id");

    /// <summary>The first 12 digits, as Docker shows an id.</summary>
    public string Short => Hex[..12];

    /// <summary>A new id from the kernel's random numbers.</summary>
    public static ContainerId New() => new(KernelRandom.ObjectId());

    public static ContainerId Parse(string text) =>
        TryParse(text, out ContainerId id) ? id : throw new FormatException("not a container id: expected 64 lower-case hexadecimal digits");

    public static bool TryParse([NotNullWhen(true)] string? text, out ContainerId id)
    {
        bool valid = text is { Length: Length } && IsHex(text);
        id = valid ? new ContainerId(text!) : default;
        return valid;
    }

    /// <summary>Whether the text could be the start of an id.</summary>
    internal static bool IsHex(ReadOnlySpan<char> text) => !text.ContainsAnyExcept(HexDigits);

    public override string ToString() => Hex;
}
