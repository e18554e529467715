using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;

namespace Hull.Oci;

/// <summary>The hash of stored bytes, <c>sha256:</c> and 64 lower-case hexadecimal digits. Valid by construction, so
/// that it can stand in a path or a URL (CVE-2024-3727).</summary>
/// <remarks>OCI image-spec, descriptor.md, "Digests". Only sha256 is stored by hull.</remarks>
public readonly record struct Digest
{
    private const string Prefix = "sha256:";
    private const int HexLength = 64;
    private static readonly SearchValues<char> HexDigits = SearchValues.Create("0123456789abcdef");

    private Digest(string hex) => Hex = hex;

    /// <summary>The 64 digits without the algorithm.</summary>
    public string Hex { get; }

    /// <summary>The first 12 digits, as Docker shows an id.</summary>
    public string Short => Hex[..12];

    public static Digest Parse(string text) =>
        TryParse(text, out Digest digest)
            ? digest
            : throw new FormatException($"'{Printable(text)}' is not a digest: expected sha256: and 64 lower-case hexadecimal digits");

    public static bool TryParse([NotNullWhen(true)] string? text, out Digest digest)
    {
        if (text is not null && text.Length == Prefix.Length + HexLength && text.StartsWith(Prefix, StringComparison.Ordinal)
            && IsHex(text.AsSpan(Prefix.Length)))
        {
            digest = new Digest(text[Prefix.Length..]);
            return true;
        }

        digest = default;
        return false;
    }

    /// <summary>From the 32 bytes of a finished SHA-256.</summary>
    public static Digest FromHash(ReadOnlySpan<byte> hash)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(hash.Length, HexLength / 2);
        return new Digest(Convert.ToHexStringLower(hash));
    }

    public static Digest Of(ReadOnlySpan<byte> content) => FromHash(SHA256.HashData(content));

    public override string ToString() => Prefix + Hex;

    private static bool IsHex(ReadOnlySpan<char> text) => !text.ContainsAnyExcept(HexDigits);

    private static string Printable(string text) =>
        string.Concat(text.Take(100).Select(c => char.IsControl(c) ? '?' : c));
}
