using System.Buffers;
using System.Diagnostics.CodeAnalysis;

namespace Hull.Oci;

/// <summary>The name of an image in a registry: <c>[domain/]path[:tag][@digest]</c>, completed as Docker completes it:
/// <c>busybox</c> is <c>docker.io/library/busybox:latest</c>. Valid by construction, so that it can stand in a URL.</summary>
/// <remarks>The grammar is that of the distribution project's reference package, which the OCI distribution-spec
/// (section "Pulling manifests") narrows to the same path and tag expressions.</remarks>
public sealed record ImageReference
{
    /// <summary>The registry that names without one belong to.</summary>
    public const string DefaultDomain = "docker.io";

    /// <summary>The tag that a reference with neither tag nor digest means.</summary>
    public const string DefaultTag = "latest";

    private const string OfficialPrefix = "library/";
    private const string LegacyDefaultDomain = "index.docker.io";
    private const int MaximumNameLength = 255;
    private const int MaximumTagLength = 128;

    private static readonly SearchValues<char> LowerAlphanumeric =
        SearchValues.Create("abcdefghijklmnopqrstuvwxyz0123456789");

    private static readonly SearchValues<char> TagCharacters =
        SearchValues.Create("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-");

    private static readonly SearchValues<char> DomainCharacters =
        SearchValues.Create("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.");

    private ImageReference(string domain, string path, string? tag, Digest? digest)
    {
        Domain = domain;
        Path = path;
        Tag = tag;
        Digest = digest;
    }

    /// <summary>The registry's host and optional port: <c>docker.io</c>, <c>localhost:5000</c>, <c>[::1]:5000</c>.</summary>
    public string Domain { get; }

    /// <summary>The repository within the registry: <c>library/busybox</c>.</summary>
    public string Path { get; }

    /// <summary>The tag; <c>latest</c> where neither tag nor digest was given, null where only a digest was.</summary>
    public string? Tag { get; }

    /// <summary>The digest of the manifest or index, where given. It wins over the tag.</summary>
    public Digest? Digest { get; }

    /// <summary>Domain and path: <c>docker.io/library/busybox</c>.</summary>
    public string Name => $"{Domain}/{Path}";

    /// <summary>The name as people write it: without <c>docker.io/</c> and <c>library/</c>.</summary>
    public string FamiliarName
    {
        get
        {
            if (Domain != DefaultDomain)
            {
                return Name;
            }

            bool official = Path.StartsWith(OfficialPrefix, StringComparison.Ordinal)
                && !Path.AsSpan(OfficialPrefix.Length).Contains('/');
            return official ? Path[OfficialPrefix.Length..] : Path;
        }
    }

    /// <summary>The whole reference as people write it: <c>busybox:latest</c>.</summary>
    public string Familiar => FamiliarName + Suffix;

    private string Suffix => (Tag is null ? "" : ":" + Tag) + (Digest is null ? "" : "@" + Digest);

    /// <exception cref="FormatException">The text is no reference; the message says why, in Docker's words.</exception>
    public static ImageReference Parse(string text) =>
        TryParse(text, out ImageReference? reference, out string? error) ? reference : throw new FormatException(error);

    public static bool TryParse(string text, [NotNullWhen(true)] out ImageReference? reference) =>
        TryParse(text, out reference, out _);

    public static bool TryParse(
        string text, [NotNullWhen(true)] out ImageReference? reference, [NotNullWhen(false)] out string? error)
    {
        reference = null;
        error = "invalid reference format";
        ReadOnlySpan<char> rest = text;

        Digest? digest = null;
        int at = rest.IndexOf('@');
        if (at >= 0)
        {
            if (!Oci.Digest.TryParse(text[(at + 1)..], out Digest parsed))
            {
                error = "invalid reference format: the digest must be sha256: and 64 lower-case hexadecimal digits";
                return false;
            }

            digest = parsed;
            rest = rest[..at];
        }

        string? tag = null;
        int colon = rest.LastIndexOf(':');
        if (colon > rest.LastIndexOf('/') && !rest.EndsWith("]"))
        {
            ReadOnlySpan<char> candidate = rest[(colon + 1)..];
            if (!IsTag(candidate))
            {
                return false;
            }

            tag = candidate.ToString();
            rest = rest[..colon];
        }

        (string domain, string path) = Complete(rest);
        if (!IsDomain(domain))
        {
            return false;
        }

        if (!IsPath(path))
        {
            if (IsPath(path.ToLowerInvariant()))
            {
                error = $"invalid reference format: repository name ({path}) must be lowercase";
            }

            return false;
        }

        if (domain.Length + 1 + path.Length > MaximumNameLength)
        {
            error = $"invalid reference format: repository name must not be more than {MaximumNameLength} characters";
            return false;
        }

        // An id of 64 digits is never a name: `run <full id>` must not turn into a pull.
        if (domain == DefaultDomain && !rest.Contains('/') && Oci.Digest.TryParse("sha256:" + rest.ToString(), out _))
        {
            error = "invalid reference format: a name cannot be 64 hexadecimal digits";
            return false;
        }

        reference = new ImageReference(domain, path, tag ?? (digest is null ? DefaultTag : null), digest);
        error = null;
        return true;
    }

    /// <summary>The canonical text: <c>docker.io/library/busybox:latest</c>.</summary>
    public override string ToString() => Name + Suffix;

    private static (string Domain, string Path) Complete(ReadOnlySpan<char> name)
    {
        int slash = name.IndexOf('/');
        ReadOnlySpan<char> first = slash < 0 ? default : name[..slash];

        // Docker's rule: what stands before the first slash is a host only where it looks like one.
        bool isHost = slash >= 0
            && (first.ContainsAny('.', ':') || first.SequenceEqual("localhost") || first.ContainsAnyInRange('A', 'Z'));
        string domain = isHost ? first.ToString() : DefaultDomain;
        string path = isHost ? name[(slash + 1)..].ToString() : name.ToString();
        if (domain == LegacyDefaultDomain)
        {
            domain = DefaultDomain;
        }

        return domain == DefaultDomain && !path.Contains('/') ? (domain, OfficialPrefix + path) : (domain, path);
    }

    private static bool IsTag(ReadOnlySpan<char> tag) =>
        tag.Length is > 0 and <= MaximumTagLength && tag[0] is not ('.' or '-') && !tag.ContainsAnyExcept(TagCharacters);

    private static bool IsDomain(ReadOnlySpan<char> domain)
    {
        int bracket = domain.IndexOf(']');
        if (domain.StartsWith("["))
        {
            return bracket > 1
                && System.Net.IPAddress.TryParse(domain[1..bracket], out System.Net.IPAddress? address)
                && address.AddressFamily == System.Net.Sockets.AddressFamily.InterNetworkV6
                && !domain[..bracket].Contains('%')
                && (bracket == domain.Length - 1 || (domain[bracket + 1] == ':' && IsPort(domain[(bracket + 2)..])));
        }

        int colon = domain.IndexOf(':');
        if (colon >= 0 && !IsPort(domain[(colon + 1)..]))
        {
            return false;
        }

        ReadOnlySpan<char> host = colon < 0 ? domain : domain[..colon];
        if (host.IsEmpty || host.ContainsAnyExcept(DomainCharacters))
        {
            return false;
        }

        foreach (Range range in host.Split('.'))
        {
            ReadOnlySpan<char> label = host[range];
            if (label.IsEmpty || label[0] == '-' || label[^1] == '-')
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>Digits alone: the platform's parser also takes NUL characters after them.</summary>
    private static bool IsPort(ReadOnlySpan<char> port) =>
        !port.ContainsAnyExceptInRange('0', '9') && ushort.TryParse(port, System.Globalization.NumberStyles.None, null, out _);

    private static bool IsPath(ReadOnlySpan<char> path)
    {
        foreach (Range range in path.Split('/'))
        {
            if (!IsPathComponent(path[range]))
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>Runs of lower-case letters and digits, parted by one dot, one or two underscores, or any dashes.</summary>
    private static bool IsPathComponent(ReadOnlySpan<char> component)
    {
        while (true)
        {
            int run = component.IndexOfAnyExcept(LowerAlphanumeric);
            if (run < 0)
            {
                return component.Length > 0;
            }

            if (run == 0)
            {
                return false;
            }

            component = component[run..];
            int separator = component.IndexOfAny(LowerAlphanumeric);
            if (separator < 0)
            {
                return false;
            }

            ReadOnlySpan<char> text = component[..separator];
            if (text is not ("." or "_" or "__") && text.ContainsAnyExcept('-'))
            {
                return false;
            }

            component = component[separator..];
        }
    }
}
