using System.Globalization;
using System.Numerics;
using System.Text.Json;

namespace Hull.Oci.RuntimeSpec;

/// <summary>Reads the runtime-spec's documents from JSON: unknown members are passed over, absent and null are the same.</summary>
/// <remarks>By hand: the serializer spends 4 ms of a 12 ms container on preparing itself for these types. A unit test holds
/// the two against each other. An error names its place: <c>process.rlimits[2].soft: expected …</c></remarks>
public sealed partial class SpecReader
{
    private readonly List<string> _path = [];

    private SpecReader()
    {
    }

    /// <summary>Reads a config.json.</summary>
    /// <exception cref="JsonException">Not JSON, or not of the schema.</exception>
    public static Spec ReadSpec(ReadOnlyMemory<byte> json) => Read(json, static (reader, o) => reader.Spec(o));

    /// <summary>Reads a process object, as <c>exec --process</c> is given.</summary>
    /// <exception cref="JsonException">Not JSON, or not of the schema.</exception>
    public static Process ReadProcess(ReadOnlyMemory<byte> json) => Read(json, static (reader, o) => reader.Process(o));

    /// <summary>Reads the hooks of a config.json, as a runtime remembers them.</summary>
    /// <exception cref="JsonException">Not of the schema.</exception>
    public static Hooks ReadHooks(JsonElement json) => new SpecReader().Element(json, static o => new SpecReader().Hooks(o));

    /// <summary>Reads a linux.resources object, as <c>update --resources</c> is given.</summary>
    /// <exception cref="JsonException">Not JSON, or not of the schema.</exception>
    public static LinuxResources ReadResources(ReadOnlyMemory<byte> json) => Read(json, static (reader, o) => reader.LinuxResources(o));

    private static T Read<T>(ReadOnlyMemory<byte> json, Func<SpecReader, JsonElement, T> read)
        where T : class
    {
        using JsonDocument document = JsonDocument.Parse(json);
        return document.RootElement.ValueKind == JsonValueKind.Object
            ? read(new SpecReader(), document.RootElement)
            : throw new JsonException($"expected an object, found {Kind(document.RootElement)}");
    }

    private T? Object<T>(JsonElement o, string name, Func<JsonElement, T> read)
        where T : class
    {
        if (!TryMember(o, name, out JsonElement value))
        {
            return null;
        }

        _path.Add(name);
        T made = Element(value, read);
        _path.RemoveAt(_path.Count - 1);
        return made;
    }

    private List<T>? List<T>(JsonElement o, string name, Func<JsonElement, T> read)
    {
        if (!TryMember(o, name, out JsonElement value))
        {
            return null;
        }

        if (value.ValueKind != JsonValueKind.Array)
        {
            throw Wrong(name, "a list", value);
        }

        List<T> list = new(value.GetArrayLength());
        foreach (JsonElement element in value.EnumerateArray())
        {
            _path.Add($"{name}[{list.Count}]");
            list.Add(Element(element, read));
            _path.RemoveAt(_path.Count - 1);
        }

        return list;
    }

    private Dictionary<string, T>? Map<T>(JsonElement o, string name, Func<JsonElement, T> read)
    {
        if (!TryMember(o, name, out JsonElement value))
        {
            return null;
        }

        if (value.ValueKind != JsonValueKind.Object)
        {
            throw Wrong(name, "an object", value);
        }

        Dictionary<string, T> map = new(StringComparer.Ordinal);
        foreach (JsonProperty member in value.EnumerateObject())
        {
            _path.Add($"{name}.{member.Name}");
            map[member.Name] = Element(member.Value, read);
            _path.RemoveAt(_path.Count - 1);
        }

        return map;
    }

    /// <summary>Texts and numbers judge themselves; everything else is an object.</summary>
    private T Element<T>(JsonElement value, Func<JsonElement, T> read) =>
        value.ValueKind == JsonValueKind.Object || typeof(T) == typeof(string) || typeof(T) == typeof(uint)
            ? read(value)
            : throw Wrong(null, "an object", value);

    private string AsText(JsonElement value) =>
        value.ValueKind == JsonValueKind.String ? value.GetString()! : throw Wrong(null, "a text", value);

    private uint AsUInt32(JsonElement value) => AsNumber<uint>(value, null);

    private string Text(JsonElement o, string name) => TextOrNull(o, name) ?? throw Missing(name);

    private string? TextOrNull(JsonElement o, string name) =>
        !TryMember(o, name, out JsonElement value) ? null
        : value.ValueKind == JsonValueKind.String ? value.GetString()
        : throw Wrong(name, "a text", value);

    private bool Boolean(JsonElement o, string name) => BooleanOrNull(o, name) ?? throw Missing(name);

    private bool? BooleanOrNull(JsonElement o, string name) =>
        !TryMember(o, name, out JsonElement value) ? null
        : value.ValueKind is JsonValueKind.True or JsonValueKind.False ? value.GetBoolean()
        : throw Wrong(name, "true or false", value);

    private T Number<T>(JsonElement o, string name)
        where T : struct, IBinaryInteger<T>, IMinMaxValue<T> => NumberOrNull<T>(o, name) ?? throw Missing(name);

    private T? NumberOrNull<T>(JsonElement o, string name)
        where T : struct, IBinaryInteger<T>, IMinMaxValue<T> =>
        TryMember(o, name, out JsonElement value) ? AsNumber<T>(value, name) : null;

    /// <summary>Whole and within the type's range; no point and no exponent, as the serializer has it.</summary>
    private T AsNumber<T>(JsonElement value, string? name)
        where T : struct, IBinaryInteger<T>, IMinMaxValue<T> =>
        value.ValueKind == JsonValueKind.Number
            && T.TryParse(value.GetRawText(), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out T number)
            ? number
            : throw Wrong(name, string.Create(CultureInfo.InvariantCulture, $"a number from {T.MinValue} to {T.MaxValue}"), value);

    private static bool TryMember(JsonElement o, string name, out JsonElement value) =>
        o.TryGetProperty(name, out value) && value.ValueKind != JsonValueKind.Null;

    private JsonException Missing(string name) => new($"{At(name)} is missing");

    private JsonException Wrong(string? name, string expected, JsonElement found) => new($"{At(name)}: expected {expected}, found {Kind(found)}");

    private string At(string? name) => string.Join('.', name is null ? _path : _path.Append(name));

    private static string Kind(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Object => "an object",
        JsonValueKind.Array => "a list",
        JsonValueKind.String => "a text",
        JsonValueKind.Number => $"the number {value.GetRawText()}",
        JsonValueKind.True or JsonValueKind.False => value.GetRawText(),
        _ => "null",
    };
}
