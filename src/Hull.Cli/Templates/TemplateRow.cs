using System.Text.Json;

namespace Hull.Cli.Templates;

/// <summary>One line of a listing, as templates see it: fields by name, worked out when asked for. Unknown names are an
/// error, as for docker's formatter contexts.</summary>
internal sealed class TemplateRow : TemplateValue
{
    private readonly IReadOnlyList<TemplateField> _fields;
    private readonly Func<string, string?, TemplateValue> _value;

    /// <param name="fields">Every field that a row has.</param>
    /// <param name="value">The value of a field and of its argument (<c>.Label "key"</c>); called with names of
    /// <paramref name="fields"/> only.</param>
    public TemplateRow(IReadOnlyList<TemplateField> fields, Func<string, string?, TemplateValue> value)
        : base(TemplateKind.Map)
    {
        _fields = fields;
        _value = value;
    }

    /// <summary>The row that is a table's head: each field's value is its heading.</summary>
    public static TemplateRow Header(IReadOnlyList<TemplateField> fields) => new(fields, (name, argument) =>
    {
        foreach (TemplateField field in fields)
        {
            if (string.Equals(field.Name, name, StringComparison.Ordinal))
            {
                return Of(argument ?? field.Heading);
            }
        }

        return Missing;
    });

    public override TemplateValue? Member(string key) => Call(key, null);

    /// <summary>A field with an argument, as Go calls a method.</summary>
    public TemplateValue Call(string key, string? argument)
    {
        foreach (TemplateField field in _fields)
        {
            if (string.Equals(field.Name, key, StringComparison.Ordinal))
            {
                return _value(key, argument);
            }
        }

        throw new TemplateException($"can't evaluate field {key}: the fields are {Names()}");
    }

    /// <summary>All fields that are not marked otherwise, by name.</summary>
    protected override void WriteJson(Utf8JsonWriter writer)
    {
        List<TemplateField> sorted = [.. _fields];
        sorted.Sort((a, b) => string.CompareOrdinal(a.Name, b.Name));
        writer.WriteStartObject();
        foreach (TemplateField field in sorted)
        {
            if (field.InJson)
            {
                writer.WriteString(field.Name, _value(field.Name, null).ToString());
            }
        }

        writer.WriteEndObject();
    }

    private string Names()
    {
        List<string> names = [];
        foreach (TemplateField field in _fields)
        {
            names.Add(field.Name);
        }

        names.Sort(string.CompareOrdinal);
        return string.Join(", ", names);
    }
}

/// <summary>A column: its name in templates and its heading in tables.</summary>
/// <param name="InJson">Whether <c>--format json</c> shows it.</param>
internal sealed record TemplateField(string Name, string Heading, bool InJson = true);
