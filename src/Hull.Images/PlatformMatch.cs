using System.Runtime.InteropServices;
using Hull.Oci.ImageSpec;

namespace Hull.Images;

/// <summary>Which images run on which platform: names as people write them, and the order in which the images of an index
/// suit a machine.</summary>
/// <remarks>Variants are downward compatible: an arm/v7 machine runs v7, v6 and v5; an arm64 one also 32-bit arm, an amd64
/// one also 386 (image-index.md, "Platform Variants").</remarks>
public static class PlatformMatch
{
    /// <summary>This machine's.</summary>
    public static Platform Host => RuntimeInformation.OSArchitecture switch
    {
        Architecture.X64 => new Platform { Os = "linux", Architecture = "amd64" },
        Architecture.Arm64 => new Platform { Os = "linux", Architecture = "arm64", Variant = "v8" },
        Architecture other => throw new PlatformNotSupportedException($"hull does not run on {other}"),
    };

    /// <summary>What a configuration says that its image runs on.</summary>
    public static Platform Of(ImageConfig config) => new() { Os = config.Os, Architecture = config.Architecture, Variant = config.Variant };

    /// <summary>Reads <c>linux/arm64/v8</c>, <c>arm64</c> or <c>linux</c>; what is missing is the host's.</summary>
    /// <exception cref="FormatException">No platform; the message quotes the text.</exception>
    public static Platform Parse(string text)
    {
        string[] parts = text.Split('/');
        if (parts.Length > 3 || parts.Any(p => p.Length == 0 || !p.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '_' or '-')))
        {
            throw new FormatException($"'{Printable(text)}' is no platform: expected os/architecture[/variant] such as linux/arm64/v8");
        }

#pragma warning disable CA1308 // Platform names are lower case.
        string[] lower = [.. parts.Select(p => p.ToLowerInvariant())];
#pragma warning restore CA1308
        if (lower.Length == 1)
        {
            return lower[0] == "linux" ? Host
                : Normalize(lower[0], null) is { } known && IsKnown(known.Architecture!) ? known
                : throw new FormatException($"'{Printable(text)}' is no platform: expected os/architecture[/variant] such as linux/arm64/v8");
        }

        return Normalize(lower[1], lower.Length == 3 ? lower[2] : null) with { Os = lower[0] };
    }

    /// <summary>Whether an image for <paramref name="image"/> runs on <paramref name="wanted"/>.</summary>
    public static bool Runs(Platform image, Platform wanted) => Rank(image, wanted) is not null;

    /// <summary>Whether two platforms are one, however they are written.</summary>
    public static bool IsSame(Platform image, Platform wanted) => Rank(image, wanted) == 0;

    /// <summary>The entry that suits best: the nearest variant first, then the order of the index. Null where none runs.
    /// Attestations, whose platform is unknown/unknown, never do.</summary>
    public static Descriptor? Choose(IReadOnlyList<Descriptor> manifests, Platform wanted)
    {
        Descriptor? best = null;
        int bestRank = int.MaxValue;
        foreach (Descriptor manifest in manifests)
        {
            if (manifest.Platform is { } platform && Rank(platform, wanted) is int rank && rank < bestRank)
            {
                (best, bestRank) = (manifest, rank);
            }
        }

        // An index of one image that does not say what it is for: its configuration will.
        return best ?? (manifests.Count == 1 && manifests[0].Platform is null ? manifests[0] : null);
    }

    /// <summary>The platforms of an index for a message: <c>linux/amd64, linux/arm64/v8</c>.</summary>
    public static string Describe(IReadOnlyList<Descriptor> manifests)
    {
        string list = string.Join(", ", manifests
            .Where(m => m.Platform is { Os: not (null or "unknown") })
            .Select(m => Printable(m.Platform!.ToString()))
            .Distinct()
            .Take(20));
        return list.Length == 0 ? "none" : list;
    }

    private static int? Rank(Platform image, Platform wanted)
    {
        Platform have = Normalize(image.Architecture ?? "", image.Variant) with { Os = image.Os };
        if (have.Os != wanted.Os)
        {
            return null;
        }

        int rank = 0;
        foreach ((string architecture, int? variant) in Compatible(Normalize(wanted.Architecture ?? "", wanted.Variant)))
        {
            bool same = variant is null
                ? have.Architecture == architecture && have.Variant == wanted.Variant
                : have.Architecture == architecture && Number(have) == variant;
            if (same)
            {
                return rank;
            }

            rank++;
        }

        return null;
    }

    /// <summary>What a machine runs, best first. A null variant means: the very same text.</summary>
    private static IEnumerable<(string Architecture, int? Variant)> Compatible(Platform machine)
    {
        (string architecture, int number) = (machine.Architecture!, Number(machine) ?? 0);
        (string, int)[] ranges = architecture switch
        {
            "amd64" => [("amd64", 1)],
            "arm64" => [("arm64", 8)],
            "arm" => [("arm", 5)],
            _ => [],
        };
        foreach ((string name, int lowest) in ranges)
        {
            for (int v = number; v >= lowest; v--)
            {
                yield return (name, v);
            }
        }

        switch (architecture)
        {
            case "amd64":
                yield return ("386", 0);
                break;
            case "arm64":
                for (int v = 8; v >= 5; v--)
                {
                    yield return ("arm", v);
                }

                break;
            case "arm":
                break;
            default:
                yield return (architecture, null);
                break;
        }
    }

    /// <summary>The number of a variant, with the one that its absence means; null where it is none.</summary>
    private static int? Number(Platform platform) => platform.Variant switch
    {
        null or "" => platform.Architecture switch { "arm64" => 8, "arm" => 7, "amd64" => 1, _ => 0 },
        { } text when text.StartsWith('v') && int.TryParse(text.AsSpan(1), out int n) && n is >= 0 and < 100 => n,
        _ => null,
    };

    private static Platform Normalize(string architecture, string? variant) => (architecture, variant) switch
    {
        ("x86_64" or "x86-64", _) => Linux("amd64", variant),
        ("aarch64", _) => Linux("arm64", variant),
        ("i386" or "i686" or "x86", _) => Linux("386", variant),
        ("armhf", null) => Linux("arm", "v7"),
        ("armel", null) => Linux("arm", "v6"),
        (_, "") => Linux(architecture, null),
        _ => Linux(architecture, variant),
    };

    private static Platform Linux(string architecture, string? variant) => new() { Os = "linux", Architecture = architecture, Variant = variant };

    private static bool IsKnown(string architecture) =>
        architecture is "amd64" or "arm64" or "arm" or "386" or "riscv64" or "ppc64le" or "s390x" or "loong64" or "mips64le";

    private static string Printable(string text) => string.Concat(text.Take(60).Select(c => char.IsControl(c) ? '?' : c));
}
