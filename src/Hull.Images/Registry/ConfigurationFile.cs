using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Hull.Linux;
using Microsoft.Win32.SafeHandles;

namespace Hull.Images.Registry;

/// <summary>Reads the JSON files that people write by hand.</summary>
internal static class ConfigurationFile
{
    private const int MaximumBytes = 1 << 20;

    /// <summary>The document, or null where the file does not exist or is empty.</summary>
    /// <exception cref="RegistryException">Configuration: the file is not JSON of this form; the message names the
    /// place.</exception>
    /// <exception cref="SyscallException">The file exists and cannot be read.</exception>
    public static T? Read<T>(string path, JsonTypeInfo<T> type)
        where T : class
    {
        byte[]? content = ReadBytes(path);
        try
        {
            return content is null ? null
                : JsonSerializer.Deserialize(content, type)
                    ?? throw new RegistryException(RegistryError.Configuration, $"{path}: expected a JSON object, found null");
        }
        catch (JsonException e)
        {
            throw Malformed(path, e);
        }
    }

    /// <summary>The file as it is, or null where it does not exist or is empty.</summary>
    /// <exception cref="SyscallException">The file exists and cannot be read.</exception>
    public static byte[]? ReadBytes(string path)
    {
        using SafeFileHandle? file = Files.TryOpenAt(null, path, OpenFlags.ReadOnly, 0, out Errno errno);

        // ENOTDIR: a component of DOCKER_CONFIG or HOME is a file, so there is no configuration either.
        return file is not null ? Files.ReadAll(file, MaximumBytes, path) is { Length: > 0 } content ? content : null
            : errno is Errno.ENOENT or Errno.ENOTDIR ? null
            : throw new SyscallException("open", path, errno);
    }

    public static RegistryException Malformed(string path, JsonException e) => new(
        RegistryError.Configuration,
        $"{path}: not valid JSON of the expected form (line {e.LineNumber + 1}, byte {e.BytePositionInLine}, at {e.Path})",
        e);
}
