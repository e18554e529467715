using System.Text.Json;

namespace Hull.Oci;

/// <summary>The small forms that records on disk are made of. Zero values are absent on disk.</summary>
public static class RecordJson
{
    public static JsonWriterOptions Options => new() { SkipValidation = true, Encoder = MinimalJsonEncoder.Instance };

    public delegate void WriteItem<in T>(Utf8JsonWriter json, T item);

    public delegate T ReadItem<out T>(ref Utf8JsonReader json);

    public static void Text(Utf8JsonWriter json, ReadOnlySpan<byte> key, string? value)
    {
        if (value is not null)
        {
            json.WriteString(key, value);
        }
    }

    public static void Number(Utf8JsonWriter json, ReadOnlySpan<byte> key, long value)
    {
        if (value != 0)
        {
            json.WriteNumber(key, value);
        }
    }

    public static void Optional(Utf8JsonWriter json, ReadOnlySpan<byte> key, long? value)
    {
        if (value is { } number)
        {
            json.WriteNumber(key, number);
        }
    }

    public static void Flag(Utf8JsonWriter json, ReadOnlySpan<byte> key, bool value)
    {
        if (value)
        {
            json.WriteBoolean(key, value);
        }
    }

    public static void Texts(Utf8JsonWriter json, ReadOnlySpan<byte> key, IReadOnlyList<string>? values)
    {
        if (values is null)
        {
            return;
        }

        json.WriteStartArray(key);
        for (int i = 0; i < values.Count; i++)
        {
            json.WriteStringValue(values[i]);
        }

        json.WriteEndArray();
    }

    public static void Map(Utf8JsonWriter json, ReadOnlySpan<byte> key, IReadOnlyDictionary<string, string>? values)
    {
        if (values is null)
        {
            return;
        }

        json.WriteStartObject(key);
        foreach (KeyValuePair<string, string> pair in values)
        {
            json.WriteString(pair.Key, pair.Value);
        }

        json.WriteEndObject();
    }

    public static void Items<T>(Utf8JsonWriter json, ReadOnlySpan<byte> key, IReadOnlyList<T>? items, WriteItem<T> write)
    {
        if (items is null)
        {
            return;
        }

        json.WriteStartArray(key);
        for (int i = 0; i < items.Count; i++)
        {
            json.WriteStartObject();
            write(json, items[i]);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    /// <summary>Moves to the next member of the object being read, and onto its value.</summary>
    /// <param name="key">A copy of the reader that stands on the member's name.</param>
    public static bool Next(ref Utf8JsonReader json, out Utf8JsonReader key)
    {
        if (!json.Read() || json.TokenType != JsonTokenType.PropertyName)
        {
            key = default;
            return false;
        }

        key = json;
        json.Read();
        return true;
    }

    /// <exception cref="JsonException">Not an object.</exception>
    public static void Begin(ref Utf8JsonReader json)
    {
        if (json.TokenType != JsonTokenType.StartObject)
        {
            throw new JsonException("an object was expected");
        }
    }

    public static string Required(ref Utf8JsonReader json) => json.GetString() ?? throw new JsonException("a text was expected");

    public static List<string> Texts(ref Utf8JsonReader json) => Items(ref json, Required);

    public static List<T> Items<T>(ref Utf8JsonReader json, ReadItem<T> read)
    {
        if (json.TokenType != JsonTokenType.StartArray)
        {
            throw new JsonException("a list was expected");
        }

        List<T> items = [];
        while (json.Read() && json.TokenType != JsonTokenType.EndArray)
        {
            items.Add(read(ref json));
        }

        return items;
    }

    public static Dictionary<string, string> Map(ref Utf8JsonReader json)
    {
        Begin(ref json);
        Dictionary<string, string> map = new(StringComparer.Ordinal);
        while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
        {
            string key = json.GetString()!;
            json.Read();
            map[key] = Required(ref json);
        }

        return map;
    }
}
