using System.Globalization;
using System.Net;
using System.Text;

namespace Hull.Cli.Templates;

/// <summary>The functions of Go's text/template and those that docker adds.</summary>
internal static class TemplateFunctions
{
    public static bool Exists(string name) => name is "json" or "join" or "split" or "lower" or "upper" or "title" or "truncate"
        or "pad" or "print" or "println" or "printf" or "len" or "index" or "slice" or "eq" or "ne" or "lt" or "le" or "gt" or "ge"
        or "and" or "or" or "not" or "html" or "urlquery";

    public static TemplateValue Call(string name, TemplateValue[] arguments)
    {
        switch (name)
        {
            case "json":
                return TemplateValue.Of(One(name, arguments).ToJson());
            case "join":
                return TemplateValue.Of(Join(name, arguments));
            case "split":
                return Split(name, arguments);
            case "lower":
                return TemplateValue.Of(Text(name, One(name, arguments)).ToLowerInvariant());
            case "upper":
                return TemplateValue.Of(Text(name, One(name, arguments)).ToUpperInvariant());
            case "title":
                return TemplateValue.Of(Title(Text(name, One(name, arguments))));
            case "truncate":
                string text = Text(name, Two(name, arguments)[0]);
                return TemplateValue.Of(text[..(int)Math.Clamp(Number(name, arguments[1]), 0, text.Length)]);
            case "pad":
                return TemplateValue.Of(Pad(arguments));
            case "print":
                return TemplateValue.Of(Print(arguments));
            case "println":
                return TemplateValue.Of(string.Join<TemplateValue>(' ', arguments) + "\n");
            case "printf":
                return TemplateValue.Of(TemplatePrintf.Format(arguments));
            case "len":
                return TemplateValue.Of((long)Length(One(name, arguments)));
            case "index":
                return Index(arguments);
            case "slice":
                return Slice(arguments);
            case "not":
                return TemplateValue.Of(!One(name, arguments).IsTrue);
            case "eq":
                return TemplateValue.Of(EqualsAny(arguments));
            case "ne":
                return TemplateValue.Of(!TemplateComparison.AreEqual(Two(name, arguments)[0], arguments[1]));
            case "lt":
                return TemplateValue.Of(TemplateComparison.Compare(Two(name, arguments)[0], arguments[1]) < 0);
            case "le":
                return TemplateValue.Of(TemplateComparison.Compare(Two(name, arguments)[0], arguments[1]) <= 0);
            case "gt":
                return TemplateValue.Of(TemplateComparison.Compare(Two(name, arguments)[0], arguments[1]) > 0);
            case "ge":
                return TemplateValue.Of(TemplateComparison.Compare(Two(name, arguments)[0], arguments[1]) >= 0);
            case "html":
                return TemplateValue.Of(WebUtility.HtmlEncode(Print(arguments)));
            case "urlquery":
                return TemplateValue.Of(WebUtility.UrlEncode(Print(arguments)));
            default:
                throw new TemplateException($"function {Output.GoText.Quote(name)} not defined");
        }
    }

    /// <summary>What Go calls the type of such a value, for errors.</summary>
    public static string TypeName(TemplateValue value) => value.Kind switch
    {
        TemplateKind.Bool => "bool",
        TemplateKind.Integer => "int",
        TemplateKind.Float => "float64",
        TemplateKind.Text => "string",
        TemplateKind.List => "[]interface {}",
        TemplateKind.Map => "map[string]interface {}",
        _ => "interface {}",
    };

    private static TemplateValue One(string name, TemplateValue[] arguments) =>
        arguments.Length == 1 ? arguments[0] : throw WrongCount(name, 1, arguments.Length);

    private static TemplateValue[] Two(string name, TemplateValue[] arguments) =>
        arguments.Length == 2 ? arguments : throw WrongCount(name, 2, arguments.Length);

    private static TemplateException WrongCount(string name, int wanted, int count) =>
        new($"wrong number of args for {name}: want {wanted} got {count}");

    private static string Text(string name, TemplateValue value) => value.Kind == TemplateKind.Text
        ? value.Text
        : throw new TemplateException($"wrong type for value; expected string; got {TypeName(value)} (in {name})");

    private static long Number(string name, TemplateValue value) => value.Kind == TemplateKind.Integer
        ? value.Integer
        : throw new TemplateException($"wrong type for value; expected int; got {TypeName(value)} (in {name})");

    private static string Join(string name, TemplateValue[] arguments)
    {
        TemplateValue list = Two(name, arguments)[0];
        return list.Kind switch
        {
            TemplateKind.List => string.Join(Text(name, arguments[1]), list.Items),
            TemplateKind.Nil => "",
            _ => throw new TemplateException($"expected slice, got {TypeName(list)}"),
        };
    }

    private static TemplateValue Split(string name, TemplateValue[] arguments)
    {
        string text = Text(name, Two(name, arguments)[0]);
        string separator = Text(name, arguments[1]);
        List<TemplateValue> parts = [];
        if (separator.Length == 0)
        {
            foreach (Rune rune in text.EnumerateRunes())
            {
                parts.Add(TemplateValue.Of(rune.ToString()));
            }
        }
        else
        {
            foreach (string part in text.Split(separator))
            {
                parts.Add(TemplateValue.Of(part));
            }
        }

        return TemplateValue.List(parts);
    }

    /// <summary>The first letter of each word as a capital, the rest as it is.</summary>
    private static string Title(string text) => string.Create(text.Length, text, static (span, source) =>
    {
        bool start = true;
        for (int i = 0; i < span.Length; i++)
        {
            span[i] = start ? char.ToUpperInvariant(source[i]) : source[i];
            start = !char.IsLetterOrDigit(source[i]) && source[i] is not ('_' or '\'');
        }
    });

    private static string Pad(TemplateValue[] arguments)
    {
        if (arguments.Length != 3)
        {
            throw WrongCount("pad", 3, arguments.Length);
        }

        string text = Text("pad", arguments[0]);
        return text.Length == 0
            ? text
            : new string(' ', (int)Math.Clamp(Number("pad", arguments[1]), 0, 1000)) + text
                + new string(' ', (int)Math.Clamp(Number("pad", arguments[2]), 0, 1000));
    }

    /// <summary>A space between two operands neither of which is a string (Go, fmt.Sprint).</summary>
    private static string Print(TemplateValue[] arguments)
    {
        StringBuilder builder = new();
        for (int i = 0; i < arguments.Length; i++)
        {
            if (i > 0 && arguments[i].Kind != TemplateKind.Text && arguments[i - 1].Kind != TemplateKind.Text)
            {
                builder.Append(' ');
            }

            builder.Append(arguments[i]);
        }

        return builder.ToString();
    }

    private static int Length(TemplateValue value) => value.Kind switch
    {
        TemplateKind.Text => Encoding.UTF8.GetByteCount(value.Text),
        TemplateKind.List or TemplateKind.Map => value.Items.Count,
        TemplateKind.Nil => 0,
        _ => throw new TemplateException($"len of type {TypeName(value)}"),
    };

    private static TemplateValue Index(TemplateValue[] arguments)
    {
        if (arguments.Length == 0)
        {
            throw new TemplateException("wrong number of args for index: want at least 1 got 0");
        }

        TemplateValue value = arguments[0];
        for (int i = 1; i < arguments.Length; i++)
        {
            switch (value.Kind)
            {
                case TemplateKind.Map:
                    value = value.Member(Text("index", arguments[i])) ?? TemplateValue.Missing;
                    break;
                case TemplateKind.List:
                    long at = Number("index", arguments[i]);
                    value = at >= 0 && at < value.Items.Count
                        ? value.Items[(int)at]
                        : throw new TemplateException(
                            $"error calling index: reflect: slice index out of range: {at.ToString(CultureInfo.InvariantCulture)}");
                    break;
                case TemplateKind.Text:
                    byte[] bytes = Encoding.UTF8.GetBytes(value.Text);
                    long position = Number("index", arguments[i]);
                    value = position >= 0 && position < bytes.Length
                        ? TemplateValue.Of((long)bytes[position])
                        : throw new TemplateException("error calling index: string index out of range");
                    break;
                case TemplateKind.Nil:
                    throw new TemplateException("error calling index: index of untyped nil");
                default:
                    throw new TemplateException($"error calling index: can't index item of type {TypeName(value)}");
            }
        }

        return value;
    }

    private static TemplateValue Slice(TemplateValue[] arguments)
    {
        if (arguments.Length is < 1 or > 3)
        {
            throw new TemplateException("error calling slice: wrong number of indices");
        }

        TemplateValue value = arguments[0];
        int length = value.Kind == TemplateKind.Text ? value.Text.Length : Length(value);
        long from = arguments.Length > 1 ? Number("slice", arguments[1]) : 0;
        long to = arguments.Length > 2 ? Number("slice", arguments[2]) : length;
        if (from < 0 || to < from || to > length)
        {
            throw new TemplateException($"error calling slice: index out of range: {from.ToString(CultureInfo.InvariantCulture)}");
        }

        if (value.Kind == TemplateKind.Text)
        {
            return TemplateValue.Of(value.Text[(int)from..(int)to]);
        }

        List<TemplateValue> part = [];
        for (int i = (int)from; i < (int)to; i++)
        {
            part.Add(value.Items[i]);
        }

        return TemplateValue.List(part);
    }

    private static bool EqualsAny(TemplateValue[] arguments)
    {
        if (arguments.Length < 2)
        {
            throw new TemplateException("error calling eq: missing argument for comparison");
        }

        for (int i = 1; i < arguments.Length; i++)
        {
            if (TemplateComparison.AreEqual(arguments[0], arguments[i]))
            {
                return true;
            }
        }

        return false;
    }
}
