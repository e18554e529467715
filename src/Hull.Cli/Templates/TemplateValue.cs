using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Hull.Cli.Templates;

/// <summary>The kinds a value of a template can be of, after Go's reflect.Kind.</summary>
internal enum TemplateKind
{
    /// <summary>A nil interface, pointer or JSON null.</summary>
    Nil,

    /// <summary>No value at all: a key that a map does not have.</summary>
    Missing,
    Bool,
    Integer,
    Float,
    Text,
    List,
    Map,
}

/// <summary>What a template works on: scalars, lists and maps, without reflection. Immutable.</summary>
internal class TemplateValue
{
    public static readonly TemplateValue Nil = new(TemplateKind.Nil);
    public static readonly TemplateValue Missing = new(TemplateKind.Missing);
    public static readonly TemplateValue True = new(TemplateKind.Bool) { Integer = 1 };
    public static readonly TemplateValue False = new(TemplateKind.Bool);

    protected TemplateValue(TemplateKind kind) => Kind = kind;

    public TemplateKind Kind { get; }

    /// <summary>The number of an Integer, 0 or 1 of a Bool.</summary>
    public long Integer { get; private init; }

    public double Float { get; private init; }

    public string Text { get; private init; } = "";

    /// <summary>The elements of a List; a Map's values, in the order of its keys.</summary>
    public IReadOnlyList<TemplateValue> Items { get; private init; } = [];

    /// <summary>The keys of a Map, in the order in which it was written.</summary>
    public IReadOnlyList<string> Keys { get; private init; } = [];

    /// <summary>Whether the fields of a map are fixed, like a Go struct's, so that an unknown one is an error.</summary>
    public string? StructName { get; private init; }

    public static TemplateValue Of(string text) => new(TemplateKind.Text) { Text = text };

    public static TemplateValue Of(bool value) => value ? True : False;

    public static TemplateValue Of(long value) => new(TemplateKind.Integer) { Integer = value };

    public static TemplateValue Of(double value) => new(TemplateKind.Float) { Float = value };

    public static TemplateValue List(IReadOnlyList<TemplateValue> items) => new(TemplateKind.List) { Items = items };

    public static TemplateValue Map(IReadOnlyList<string> keys, IReadOnlyList<TemplateValue> values, string? structName = null) =>
        new(TemplateKind.Map) { Keys = keys, Items = values, StructName = structName };

    public static TemplateValue Of(JsonElement element)
    {
        switch (element.ValueKind)
        {
            case JsonValueKind.True:
                return True;
            case JsonValueKind.False:
                return False;
            case JsonValueKind.Number:
                return element.TryGetInt64(out long whole) ? Of(whole) : Of(element.GetDouble());
            case JsonValueKind.String:
                return Of(element.GetString()!);
            case JsonValueKind.Array:
                List<TemplateValue> items = [];
                foreach (JsonElement item in element.EnumerateArray())
                {
                    items.Add(Of(item));
                }

                return List(items);
            case JsonValueKind.Object:
                List<string> keys = [];
                List<TemplateValue> values = [];
                foreach (JsonProperty property in element.EnumerateObject())
                {
                    keys.Add(property.Name);
                    values.Add(Of(property.Value));
                }

                return Map(keys, values);
            default:
                return Nil;
        }
    }

    /// <summary>A map's value; null where it has no such key.</summary>
    public virtual TemplateValue? Member(string key)
    {
        for (int i = 0; i < Keys.Count; i++)
        {
            if (string.Equals(Keys[i], key, StringComparison.Ordinal))
            {
                return Items[i];
            }
        }

        return null;
    }

    /// <summary>Go's truth: not zero, not empty, not nil.</summary>
    public bool IsTrue => Kind switch
    {
        TemplateKind.Bool or TemplateKind.Integer => Integer != 0,
        TemplateKind.Float => Float != 0,
        TemplateKind.Text => Text.Length > 0,
        TemplateKind.List => Items.Count > 0,
        TemplateKind.Map => StructName is not null || Keys.Count > 0,
        _ => false,
    };

    /// <summary>As Go's <c>%v</c> prints it: <c>[a b]</c>, <c>map[k:v]</c>, <c>&lt;nil&gt;</c>.</summary>
    public override string ToString() => Kind switch
    {
        TemplateKind.Nil => "<nil>",
        TemplateKind.Missing => "<no value>",
        TemplateKind.Bool => Integer != 0 ? "true" : "false",
        TemplateKind.Integer => Integer.ToString(CultureInfo.InvariantCulture),
        TemplateKind.Float => FormatFloat(Float),
        TemplateKind.Text => Text,
        TemplateKind.List => $"[{string.Join(' ', Items)}]",
        _ => PrintMap(),
    };

    /// <summary>Compact JSON, a struct's fields and a map's keys in the order in which they were written.</summary>
    public string ToJson()
    {
        using MemoryStream stream = new();
        using (Utf8JsonWriter writer = new(stream, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            WriteJson(writer);
        }

        return Encoding.UTF8.GetString(stream.GetBuffer(), 0, (int)stream.Length);
    }

    protected virtual void WriteJson(Utf8JsonWriter writer)
    {
        switch (Kind)
        {
            case TemplateKind.Bool:
                writer.WriteBooleanValue(Integer != 0);
                break;
            case TemplateKind.Integer:
                writer.WriteNumberValue(Integer);
                break;
            case TemplateKind.Float:
                writer.WriteNumberValue(Float);
                break;
            case TemplateKind.Text:
                writer.WriteStringValue(Text);
                break;
            case TemplateKind.List:
                writer.WriteStartArray();
                foreach (TemplateValue item in Items)
                {
                    item.WriteJson(writer);
                }

                writer.WriteEndArray();
                break;
            case TemplateKind.Map:
                writer.WriteStartObject();
                for (int i = 0; i < Keys.Count; i++)
                {
                    writer.WritePropertyName(Keys[i]);
                    Items[i].WriteJson(writer);
                }

                writer.WriteEndObject();
                break;
            default:
                writer.WriteNullValue();
                break;
        }
    }

    /// <summary>Go's shortest form: an exponent from 1e+21 on and under 1e-4.</summary>
    private static string FormatFloat(double value)
    {
        string text = value.ToString("R", CultureInfo.InvariantCulture);
        return text.Contains('E', StringComparison.Ordinal) ? text.Replace("E", "e", StringComparison.Ordinal) : text;
    }

    /// <summary>Go prints maps in the order of their keys (fmt, since Go 1.12), structs as their values alone.</summary>
    private string PrintMap()
    {
        if (StructName is not null)
        {
            return $"{{{string.Join(' ', Items)}}}";
        }

        int[] order = new int[Keys.Count];
        for (int i = 0; i < order.Length; i++)
        {
            order[i] = i;
        }

        Array.Sort(order, (a, b) => string.CompareOrdinal(Keys[a], Keys[b]));
        StringBuilder builder = new("map[");
        for (int i = 0; i < order.Length; i++)
        {
            builder.Append(i == 0 ? "" : " ").Append(Keys[order[i]]).Append(':').Append(Items[order[i]]);
        }

        return builder.Append(']').ToString();
    }
}
