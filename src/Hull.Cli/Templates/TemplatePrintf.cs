using System.Globalization;
using System.Text;

namespace Hull.Cli.Templates;

/// <summary>Go's Printf: <c>%s %v %q %d %x %X %o %b %c %t %f %e %g %%</c> with the flags <c>- + 0</c>, width and precision.</summary>
internal static class TemplatePrintf
{
    public static string Format(TemplateValue[] arguments)
    {
        if (arguments.Length == 0 || arguments[0].Kind != TemplateKind.Text)
        {
            throw new TemplateException("wrong type for value; expected string (in printf)");
        }

        string format = arguments[0].Text;
        StringBuilder output = new();
        int next = 1;
        for (int at = 0; at < format.Length; at++)
        {
            if (format[at] != '%')
            {
                output.Append(format[at]);
                continue;
            }

            at++;
            Directive directive = Directive.Read(format, ref at);
            if (at >= format.Length)
            {
                output.Append("%!(NOVERB)");
                break;
            }

            char verb = format[at];
            if (verb == '%')
            {
                output.Append('%');
            }
            else if (next >= arguments.Length)
            {
                output.Append("%!").Append(verb).Append("(MISSING)");
            }
            else
            {
                directive.Append(output, verb, arguments[next++]);
            }
        }

        if (next < arguments.Length)
        {
            output.Append("%!(EXTRA ");
            for (int i = next; i < arguments.Length; i++)
            {
                output.Append(i == next ? "" : ", ").Append(TemplateFunctions.TypeName(arguments[i])).Append('=').Append(arguments[i]);
            }

            output.Append(')');
        }

        return output.ToString();
    }

    /// <summary>What stands between a percent sign and its verb.</summary>
    private readonly record struct Directive(bool Left, bool Zero, bool Plus, int Width, int Precision)
    {
        /// <summary>A width beyond this is cut, so that a format cannot ask for all memory.</summary>
        private const int Limit = 10_000;

        public static Directive Read(string format, ref int at)
        {
            bool left = false;
            bool zero = false;
            bool plus = false;
            for (; at < format.Length && format[at] is '-' or '0' or '+' or ' ' or '#'; at++)
            {
                left |= format[at] == '-';
                zero |= format[at] == '0';
                plus |= format[at] == '+';
                if (at + 1 >= format.Length)
                {
                    at++;
                    break;
                }
            }

            int width = ReadNumber(format, ref at);
            int precision = -1;
            if (at < format.Length && format[at] == '.')
            {
                at++;
                precision = Math.Max(0, ReadNumber(format, ref at));
            }

            return new Directive(left, zero && !left, plus, width, precision);
        }

        public void Append(StringBuilder output, char verb, TemplateValue value)
        {
            string text = Convert(verb, value);
            if (Plus && value.Kind is TemplateKind.Integer or TemplateKind.Float && verb is 'd' or 'v' or 'f' && !text.StartsWith('-'))
            {
                text = "+" + text;
            }

            int pad = Math.Max(0, Width - Hull.Cli.Output.TabWriter.Width(text));
            if (Left)
            {
                output.Append(text).Append(' ', pad);
            }
            else if (Zero && value.Kind is TemplateKind.Integer or TemplateKind.Float)
            {
                int sign = text.StartsWith('-') || text.StartsWith('+') ? 1 : 0;
                output.Append(text, 0, sign).Append('0', pad).Append(text, sign, text.Length - sign);
            }
            else
            {
                output.Append(' ', pad).Append(text);
            }
        }

        private string Convert(char verb, TemplateValue value)
        {
            switch (verb)
            {
                case 'v':
                case 's' when value.Kind is TemplateKind.Text or TemplateKind.List or TemplateKind.Map:
                    return Cut(value.ToString());
                case 'q' when value.Kind == TemplateKind.Text:
                    return Output.GoText.Quote(Cut(value.Text));
                case 't' when value.Kind == TemplateKind.Bool:
                case 'd' when value.Kind == TemplateKind.Integer:
                    return value.ToString();
                case 'x' or 'X' when value.Kind == TemplateKind.Integer:
                    string digits = Math.Abs(value.Integer).ToString(verb == 'x' ? "x" : "X", CultureInfo.InvariantCulture);
                    return value.Integer < 0 ? "-" + digits : digits;
                case 'x' when value.Kind == TemplateKind.Text:
                    return System.Convert.ToHexStringLower(Encoding.UTF8.GetBytes(value.Text));
                case 'o' or 'b' when value.Kind == TemplateKind.Integer:
                    return System.Convert.ToString(value.Integer, verb == 'o' ? 8 : 2);
                case 'c' when value.Kind == TemplateKind.Integer && Rune.IsValid((int)value.Integer):
                    return new Rune((int)value.Integer).ToString();
                case 'f' or 'e' or 'g' when value.Kind == TemplateKind.Float:
                    return Real(verb, value.Float);
                default:
                    return $"%!{verb}({TemplateFunctions.TypeName(value)}={value})";
            }
        }

        private string Real(char verb, double value)
        {
            int digits = Precision < 0 ? 6 : Precision;
            return verb switch
            {
                'f' => value.ToString("F" + digits.ToString(CultureInfo.InvariantCulture), CultureInfo.InvariantCulture),
                'e' => Exponent(value.ToString("e" + digits.ToString(CultureInfo.InvariantCulture), CultureInfo.InvariantCulture)),
                _ when Precision < 0 => TemplateValue.Of(value).ToString(),
                _ => value.ToString("G" + digits.ToString(CultureInfo.InvariantCulture), CultureInfo.InvariantCulture),
            };
        }

        /// <summary>Go writes at least two digits of an exponent, .NET three.</summary>
        private static string Exponent(string text)
        {
            int at = text.IndexOf('e');
            return text[at + 2] == '0' ? text.Remove(at + 2, 1) : text;
        }

        private string Cut(string text) => Precision >= 0 && Precision < text.Length ? text[..Precision] : text;

        private static int ReadNumber(string format, ref int at)
        {
            int value = -1;
            for (; at < format.Length && char.IsAsciiDigit(format[at]); at++)
            {
                value = Math.Min(Limit, (Math.Max(value, 0) * 10) + (format[at] - '0'));
            }

            return value;
        }
    }
}
