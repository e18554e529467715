using System.Runtime.InteropServices;
using System.Text.Json;
using System.Text.Json.Serialization;
using Hull.Linux;
using Hull.Oci;
using Hull.Oci.RuntimeSpec;

namespace Hull.Runtime;

/// <summary>A seccomp profile as <c>--security-opt seccomp=FILE</c> takes it: docker's format, of which the runtime-spec's is
/// a part. What docker adds depends on the container: rules for some capabilities, architectures or kernels only.</summary>
/// <remarks>docs.docker.com, "Seccomp security profiles for Docker"; the fields <c>includes</c>, <c>excludes</c>,
/// <c>archMap</c> and the older <c>name</c>.</remarks>
public sealed record SeccompDocument
{
    public required string DefaultAction { get; init; }
    public uint? DefaultErrnoRet { get; init; }
    public IReadOnlyList<string>? Architectures { get; init; }
    public IReadOnlyList<string>? Flags { get; init; }
    public string? ListenerPath { get; init; }
    public string? ListenerMetadata { get; init; }
    public IReadOnlyList<SeccompArchitectures>? ArchMap { get; init; }
    public IReadOnlyList<SeccompDocumentRule>? Syscalls { get; init; }

    /// <summary>Reads a profile.</summary>
    /// <param name="json">UTF-8.</param>
    /// <param name="source">The file, for the words of an error.</param>
    /// <exception cref="SpecException">No JSON, a required field missing, or two forms of one thing at once.</exception>
    public static SeccompDocument Parse(ReadOnlySpan<byte> json, string source)
    {
        SeccompDocument document;
        try
        {
            document = JsonSerializer.Deserialize(json, SeccompDocumentJson.Default.SeccompDocument)
                ?? throw new SpecException(source, "the profile is null");
        }
        catch (JsonException exception)
        {
            string place = exception.Path is null or "$" ? source : $"{source}: {exception.Path.TrimStart('$', '.')}";
            string line = exception.LineNumber is long number ? $" (line {number + 1})" : "";
            throw new SpecException(place, $"not a seccomp profile{line}: {exception.Message.Split('.')[0]}", exception);
        }

        if (document.Architectures is { Count: > 0 } && document.ArchMap is { Count: > 0 })
        {
            throw new SpecException(source, "both architectures and archMap are given, use one of them");
        }

        for (int i = 0; i < document.Syscalls?.Count; i++)
        {
            SeccompDocumentRule rule = document.Syscalls[i];
            if (rule.Name is { Length: > 0 } && rule.Names is { Count: > 0 })
            {
                throw new SpecException($"{source}: syscalls[{i}]", "both name and names are given, use one of them");
            }

            foreach (SeccompFilterTerms? terms in new[] { rule.Includes, rule.Excludes })
            {
                if (terms?.MinKernel is { } text && !TryParseKernel(text, out _))
                {
                    throw new SpecException($"{source}: syscalls[{i}]", $"minKernel \"{text}\" is not of the form 4.8");
                }
            }
        }

        return document;
    }

    /// <summary>The profile for one container.</summary>
    /// <param name="capabilities">The container's bounding set.</param>
    /// <param name="kernel">The running kernel; only major and minor count.</param>
    public Seccomp Resolve(CapabilitySet capabilities, Architecture architecture, Version kernel)
    {
        List<SeccompRule> rules = new(Syscalls?.Count ?? 0);
        foreach (SeccompDocumentRule rule in Syscalls ?? [])
        {
            if (rule.AppliesTo(capabilities, architecture, kernel))
            {
                rules.Add(new SeccompRule
                {
                    Names = rule.Names is { Count: > 0 } ? rule.Names : rule.Name is { Length: > 0 } ? [rule.Name] : [],
                    Action = rule.Action,
                    ErrnoRet = rule.ErrnoRet,
                    Args = rule.Args,
                });
            }
        }

        return new Seccomp
        {
            DefaultAction = DefaultAction,
            DefaultErrnoRet = DefaultErrnoRet,
            Architectures = ArchMap is { Count: > 0 } ? Mapped(architecture) : Architectures,
            Flags = Flags,
            ListenerPath = ListenerPath,
            ListenerMetadata = ListenerMetadata,
            Syscalls = rules,
        };
    }

    /// <summary>Major and minor of <c>4.8</c>, <c>5.10.0-21-amd64</c> and the like.</summary>
    internal static bool TryParseKernel(string text, out Version version)
    {
        string[] parts = text.Split('.', 3);
        bool valid = parts.Length >= 2 & int.TryParse(parts[0], out int major) & int.TryParse(parts.ElementAtOrDefault(1), out int minor);
        version = valid ? new Version(major, minor) : new Version(0, 0);
        return valid;
    }

    /// <summary>The architecture's name in docker's <c>arches</c>, which is Go's.</summary>
    internal static string GoName(Architecture architecture) => architecture switch
    {
        Architecture.X64 => "amd64",
        Architecture.Arm64 => "arm64",
        _ => throw new PlatformNotSupportedException($"seccomp filters for {architecture} are not known here"),
    };

    private List<string> Mapped(Architecture architecture)
    {
        string native = architecture == Architecture.X64 ? "SCMP_ARCH_X86_64" : "SCMP_ARCH_AARCH64";
        List<string> architectures = [];
        foreach (SeccompArchitectures map in ArchMap!)
        {
            if (map.Architecture == native)
            {
                architectures.Add(map.Architecture);
                architectures.AddRange(map.SubArchitectures ?? []);
            }
        }

        return architectures;
    }
}

/// <summary>An architecture and those whose programs it runs too.</summary>
public sealed record SeccompArchitectures
{
    public required string Architecture { get; init; }
    public IReadOnlyList<string>? SubArchitectures { get; init; }
}

/// <summary>A rule with the terms on which it is part of the profile.</summary>
public sealed record SeccompDocumentRule
{
    /// <summary>The form before Docker 1.13: one rule, one name.</summary>
    public string? Name { get; init; }
    public IReadOnlyList<string>? Names { get; init; }
    public required string Action { get; init; }
    public uint? ErrnoRet { get; init; }
    public IReadOnlyList<SeccompArgument>? Args { get; init; }
    public SeccompFilterTerms? Includes { get; init; }
    public SeccompFilterTerms? Excludes { get; init; }

    /// <summary>Any term of <see cref="Excludes"/> takes the rule out; all of <see cref="Includes"/> must hold.</summary>
    internal bool AppliesTo(CapabilitySet capabilities, Architecture architecture, Version kernel)
    {
        string machine = SeccompDocument.GoName(architecture);
        if (Excludes is { } excludes
            && ((excludes.Arches?.Contains(machine) ?? false)
                || (excludes.Caps?.Any(name => Has(capabilities, name)) ?? false)
                || (excludes.MinKernel is { } until && IsAtLeast(kernel, until))))
        {
            return false;
        }

        return Includes is not { } includes
            || ((includes.Arches is not { Count: > 0 } arches || arches.Contains(machine))
                && (includes.Caps?.All(name => Has(capabilities, name)) ?? true)
                && (includes.MinKernel is not { } since || IsAtLeast(kernel, since)));
    }

    private static bool Has(CapabilitySet capabilities, string name) =>
        CapabilitySet.TryNumber(name, out int number) && capabilities.Contains(number);

    private static bool IsAtLeast(Version kernel, string version) =>
        SeccompDocument.TryParseKernel(version, out Version least) && kernel >= least;
}

/// <summary>The terms of a rule: capabilities in the bounding set, machines by Go's names, the oldest kernel.</summary>
public sealed record SeccompFilterTerms
{
    public IReadOnlyList<string>? Caps { get; init; }
    public IReadOnlyList<string>? Arches { get; init; }
    public string? MinKernel { get; init; }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, AllowTrailingCommas = false)]
[JsonSerializable(typeof(SeccompDocument))]
internal sealed partial class SeccompDocumentJson : JsonSerializerContext;
