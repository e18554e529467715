using System.Text.Json;
using Hull.Linux;
using Hull.Oci.RuntimeSpec;
using Microsoft.Win32.SafeHandles;

namespace Hull.Runtime.Bundles;

/// <summary>A config.json: of a bundle, or the copy that the runtime keeps of it from create on.</summary>
public static class BundleSpec
{
    /// <summary>Its name in a bundle and in a container's state directory.</summary>
    public const string FileName = "config.json";

    private const int LargestSpec = 16 << 20;

    /// <summary>The spec with the sources of its bind mounts absolute: "relative to the directory of the bundle" (config.md, "Mounts").</summary>
    /// <param name="bundle">Absolute.</param>
    public static Spec WithSourcesOf(Spec spec, string bundle) => spec.Mounts is not { Count: > 0 } mounts ? spec : spec with
    {
        // An absolute source stays as it is; an empty one is refused where it is mounted.
        Mounts = [.. mounts.Select(mount => mount is { IsBind: true, Source.Length: > 0 } ? mount with { Source = Path.Combine(bundle, mount.Source) } : mount)],
    };

    /// <summary>Reads a bundle's.</summary>
    /// <param name="text">As it is in the file, for the copy.</param>
    /// <exception cref="ContainerException">Missing, not JSON, not a spec, or of a version that is not known here.</exception>
    public static Spec Read(string bundle, out byte[] text)
    {
        string path = Path.Combine(bundle, FileName);
        using SafeFileHandle? file = Files.TryOpenAt(null, path, OpenFlags.ReadOnly, 0, out Errno errno);
        if (file is null)
        {
            throw new ContainerException(ContainerFault.Engine, errno == Errno.ENOENT
                ? $"JSON specification file config.json not found in {bundle}"
                : new SyscallException("open", path, errno).Message);
        }

        text = Files.ReadAll(file, LargestSpec, path);
        try
        {
            Spec spec = SpecReader.ReadSpec(text);
            // Semantic versions: another major number may mean another thing by the same words.
            return spec.OciVersion.StartsWith("1.", StringComparison.Ordinal)
                ? spec
                : throw new ContainerException(ContainerFault.Engine, $"{path}: ociVersion {spec.OciVersion} is not known here: 1.x is");
        }
        catch (JsonException error)
        {
            throw new ContainerException(ContainerFault.Engine, $"{path} is not a valid specification: {error.Message}", error);
        }
    }
}
