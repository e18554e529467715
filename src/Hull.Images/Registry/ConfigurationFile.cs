using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Hull.Linux;
using Microsoft.Win32.SafeHandles;

namespace Hull.Images.Registry;

/// <summary>Reads the JSON files that people write by hand.</summary>
internal static class ConfigurationFile
{
    private const int MaximumBytes = 1 << 20;

    /// <summary>The document, or null where the file does not exist.</summary>
    /// <exception cref="RegistryException">Configuration: the file is not JSON of this form; the message names the
    /// place.</exception>
    /// <exception cref="SyscallException">The file exists and cannot be read.</exception>
    public static T? Read<T>(string path, JsonTypeInfo<T> type)
        where T : class
    {
        using SafeFileHandle? file = Files.TryOpenAt(null, path, OpenFlags.ReadOnly, 0, out Errno errno);
        if (file is null)
        {
            // ENOTDIR: a component of DOCKER_CONFIG or HOME is a file, so there is no configuration either.
            return errno is Errno.ENOENT or Errno.ENOTDIR ? null : throw new SyscallException("open", path, errno);
        }

        byte[] content = Files.ReadAll(file, MaximumBytes, path);
        try
        {
            return JsonSerializer.Deserialize(content, type)
                ?? throw new RegistryException(RegistryError.Configuration, $"{path}: expected a JSON object, found null");
        }
        catch (JsonException e)
        {
            throw new RegistryException(
                RegistryError.Configuration,
                $"{path}: not valid JSON of the expected form (line {e.LineNumber + 1}, byte {e.BytePositionInLine}, at {e.Path})",
                e);
        }
    }
}
