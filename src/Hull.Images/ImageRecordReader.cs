using System.Text.Json;
using Hull.Oci;
using Hull.Oci.ImageSpec;

namespace Hull.Images;

/// <summary>Reads an image's record by hand. It is on the path of every container start, and the serializer's first use in
/// a process costs about 2 ms for its metadata; this costs 0.1.</summary>
/// <remarks>The writer is the serializer: a test holds the two together, member by member.</remarks>
internal static class ImageRecordReader
{
    /// <exception cref="ImageException">Corrupt: not a record.</exception>
    public static ImageRecord Parse(ReadOnlySpan<byte> json, string path)
    {
        try
        {
            Utf8JsonReader reader = new(json, new JsonReaderOptions { MaxDepth = 32 });
            reader.Read();
            return Record(ref reader);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or FormatException)
        {
            throw new ImageException(ImageError.Corrupt, $"{path}: damaged (hull system check --repair makes it anew, or says what to do): {e.Message}", e);
        }
    }

    private static ImageRecord Record(ref Utf8JsonReader reader)
    {
        Digest id = default;
        Descriptor? manifest = null;
        long configSize = 0;
        List<ImageLayer> layers = [];
        ImageConfig? config = null;
        while (NextMember(ref reader))
        {
            if (Is(ref reader, "id"u8))
            {
                id = Digest.Parse(reader.GetString()!);
            }
            else if (Is(ref reader, "manifest"u8))
            {
                manifest = ReadDescriptor(ref reader);
            }
            else if (Is(ref reader, "configSize"u8))
            {
                configSize = reader.GetInt64();
            }
            else if (Is(ref reader, "layers"u8))
            {
                while (NextItem(ref reader))
                {
                    layers.Add(Layer(ref reader));
                }
            }
            else if (Is(ref reader, "config"u8))
            {
                config = Config(ref reader);
            }
            else
            {
                SkipValue(ref reader);
            }
        }

        return new ImageRecord
        {
            Id = id,
            Manifest = manifest ?? throw new JsonException("no manifest"),
            ConfigSize = configSize,
            Layers = layers,
            Config = config ?? throw new JsonException("no config"),
        };
    }

    private static ImageLayer Layer(ref Utf8JsonReader reader)
    {
        Descriptor? blob = null;
        Digest diffId = default;
        Digest chainId = default;
        long size = 0;
        while (NextMember(ref reader))
        {
            if (Is(ref reader, "blob"u8))
            {
                blob = ReadDescriptor(ref reader);
            }
            else if (Is(ref reader, "diffId"u8))
            {
                diffId = Digest.Parse(reader.GetString()!);
            }
            else if (Is(ref reader, "chainId"u8))
            {
                chainId = Digest.Parse(reader.GetString()!);
            }
            else if (Is(ref reader, "unpackedSize"u8))
            {
                size = reader.GetInt64();
            }
            else
            {
                SkipValue(ref reader);
            }
        }

        return new ImageLayer { Blob = blob ?? throw new JsonException("no blob"), DiffId = diffId, ChainId = chainId, UnpackedSize = size };
    }

    private static Descriptor ReadDescriptor(ref Utf8JsonReader reader)
    {
        string? mediaType = null;
        Digest digest = default;
        long size = 0;
        while (NextMember(ref reader))
        {
            if (Is(ref reader, "mediaType"u8))
            {
                mediaType = reader.GetString();
            }
            else if (Is(ref reader, "digest"u8))
            {
                digest = Digest.Parse(reader.GetString()!);
            }
            else if (Is(ref reader, "size"u8))
            {
                size = reader.GetInt64();
            }
            else
            {
                SkipValue(ref reader);
            }
        }

        return new Descriptor { MediaType = mediaType, Digest = digest, Size = size };
    }

    private static ImageConfig Config(ref Utf8JsonReader reader)
    {
        ImageConfig config = new();
        while (NextMember(ref reader))
        {
            config = Is(ref reader, "created"u8) ? config with { Created = reader.GetDateTimeOffset() }
                : Is(ref reader, "author"u8) ? config with { Author = reader.GetString() }
                : Is(ref reader, "architecture"u8) ? config with { Architecture = reader.GetString() }
                : Is(ref reader, "variant"u8) ? config with { Variant = reader.GetString() }
                : Is(ref reader, "os"u8) ? config with { Os = reader.GetString() }
                : Is(ref reader, "os.version"u8) ? config with { OsVersion = reader.GetString() }
                : Is(ref reader, "comment"u8) ? config with { Comment = reader.GetString() }
                : Is(ref reader, "config"u8) ? config with { Defaults = Defaults(ref reader) }
                : Skipped(ref reader, config);
        }

        return config;
    }

    private static ImageDefaults Defaults(ref Utf8JsonReader reader)
    {
        ImageDefaults defaults = new();
        while (NextMember(ref reader))
        {
            defaults = Is(ref reader, "User"u8) ? defaults with { User = reader.GetString() }
                : Is(ref reader, "ExposedPorts"u8) ? defaults with { ExposedPorts = Set(ref reader) }
                : Is(ref reader, "Env"u8) ? defaults with { Env = Strings(ref reader) }
                : Is(ref reader, "Entrypoint"u8) ? defaults with { Entrypoint = Strings(ref reader) }
                : Is(ref reader, "Cmd"u8) ? defaults with { Cmd = Strings(ref reader) }
                : Is(ref reader, "Volumes"u8) ? defaults with { Volumes = Set(ref reader) }
                : Is(ref reader, "WorkingDir"u8) ? defaults with { WorkingDirectory = reader.GetString() }
                : Is(ref reader, "Labels"u8) ? defaults with { Labels = Map(ref reader) }
                : Is(ref reader, "StopSignal"u8) ? defaults with { StopSignal = reader.GetString() }
                : Is(ref reader, "StopTimeout"u8) ? defaults with { StopTimeout = reader.GetInt32() }
                : Is(ref reader, "Healthcheck"u8) ? defaults with { Healthcheck = Healthcheck(ref reader) }
                : Is(ref reader, "Shell"u8) ? defaults with { Shell = Strings(ref reader) }
                : Is(ref reader, "OnBuild"u8) ? defaults with { OnBuild = Strings(ref reader) }
                : Skipped(ref reader, defaults);
        }

        return defaults;
    }

    private static ImageHealthcheck Healthcheck(ref Utf8JsonReader reader)
    {
        ImageHealthcheck check = new();
        while (NextMember(ref reader))
        {
            check = Is(ref reader, "Test"u8) ? check with { Test = Strings(ref reader) }
                : Is(ref reader, "Interval"u8) ? check with { Interval = reader.GetInt64() }
                : Is(ref reader, "Timeout"u8) ? check with { Timeout = reader.GetInt64() }
                : Is(ref reader, "StartPeriod"u8) ? check with { StartPeriod = reader.GetInt64() }
                : Is(ref reader, "StartInterval"u8) ? check with { StartInterval = reader.GetInt64() }
                : Is(ref reader, "Retries"u8) ? check with { Retries = reader.GetInt32() }
                : Skipped(ref reader, check);
        }

        return check;
    }

    private static List<string> Strings(ref Utf8JsonReader reader)
    {
        List<string> items = [];
        while (NextItem(ref reader))
        {
            items.Add(reader.GetString()!);
        }

        return items;
    }

    private static Dictionary<string, string> Map(ref Utf8JsonReader reader)
    {
        Dictionary<string, string> map = [];
        while (NextMember(ref reader))
        {
            string key = reader.GetString()!;
            reader.Read();
            map[key] = reader.GetString()!;
        }

        return map;
    }

    private static Dictionary<string, EmptyObject> Set(ref Utf8JsonReader reader)
    {
        Dictionary<string, EmptyObject> set = [];
        while (NextMember(ref reader))
        {
            set[reader.GetString()!] = new EmptyObject();
            reader.Read();
            reader.Skip();
        }

        return set;
    }

    /// <summary>Goes to the next name of the object that the reader is in or at; false at its end.</summary>
    private static bool NextMember(ref Utf8JsonReader reader)
    {
        if (!reader.Read())
        {
            throw new JsonException("ends too early");
        }

        return reader.TokenType switch
        {
            JsonTokenType.PropertyName => true,
            JsonTokenType.EndObject => false,
            _ => throw new JsonException("an object was expected"),
        };
    }

    /// <summary>Goes to the next value of the array that the reader is in or at; false at its end.</summary>
    private static bool NextItem(ref Utf8JsonReader reader) =>
        reader.Read() ? reader.TokenType != JsonTokenType.EndArray : throw new JsonException("ends too early");

    /// <summary>Whether the member is that one; the reader then stands at its value.</summary>
    private static bool Is(ref Utf8JsonReader reader, ReadOnlySpan<byte> name)
    {
        if (reader.TokenType != JsonTokenType.PropertyName || !reader.ValueTextEquals(name))
        {
            return false;
        }

        reader.Read();
        return true;
    }

    private static void SkipValue(ref Utf8JsonReader reader)
    {
        reader.Read();
        reader.Skip();
    }

    private static T Skipped<T>(ref Utf8JsonReader reader, T value)
    {
        SkipValue(ref reader);
        return value;
    }
}
