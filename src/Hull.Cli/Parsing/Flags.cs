using System.CommandLine;
using System.Globalization;

namespace Hull.Cli.Parsing;

/// <summary>Declares flags and reads their values. Values stay text until a command reads them, so that the words of a
/// refusal are docker's.</summary>
internal static class Flags
{
    /// <summary>A flag with one value; the last of several wins.</summary>
    public static Option<string?> Text(string name, string type, string description, string? shorthand = null, string? alias = null)
    {
        Option<string?> option = new(name) { Description = description, HelpName = type };
        AddAliases(option, shorthand, alias);
        return option;
    }

    /// <summary>A flag that may be given any number of times.</summary>
    public static Option<string[]?> List(
        string name, string description, string? shorthand = null, string type = "list", string? alias = null)
    {
        Option<string[]?> option = new(name)
        {
            Description = description,
            HelpName = type,
            Arity = ArgumentArity.ZeroOrMore,
            AllowMultipleArgumentsPerToken = false,
        };
        AddAliases(option, shorthand, alias);
        return option;
    }

    /// <summary>A flag that is on, off (<c>--flag=false</c>) or not there.</summary>
    public static Option<bool?> Switch(string name, string description, string? shorthand = null)
    {
        Option<bool?> option = new(name) { Description = description };
        AddAliases(option, shorthand, null);
        return option;
    }

    /// <summary>Whether a flag takes no value of its own.</summary>
    public static bool IsSwitch(Option option) => option.ValueType == typeof(bool?);

    /// <summary>Whether a flag keeps every value it is given.</summary>
    public static bool IsList(Option option) => option.ValueType == typeof(string[]);

    /// <summary>The one-letter spelling, with its dash; null where there is none.</summary>
    public static string? Shorthand(Option option)
    {
        foreach (string alias in option.Aliases)
        {
            if (alias.Length == 2)
            {
                return alias;
            }
        }

        return null;
    }

    /// <summary>The flag as errors name it: <c>-m, --memory</c>.</summary>
    public static string Display(Option option) =>
        Shorthand(option) is { } shorthand ? $"{shorthand}, {option.Name}" : option.Name;

    public static bool IsOn(this ParseResult result, Option<bool?> option, bool missing = false) => result.GetValue(option) ?? missing;

    public static bool IsGiven(this ParseResult result, Option option) => result.GetResult(option) is { Implicit: false };

    /// <summary>The value; null where the flag is absent or empty.</summary>
    public static string? TextOf(this ParseResult result, Option<string?> option) =>
        result.GetValue(option) is { Length: > 0 } text ? text : null;

    /// <summary>The values; null where the flag is absent.</summary>
    public static string[]? ListOf(this ParseResult result, Option<string[]?> option) =>
        result.GetValue(option) is { Length: > 0 } values ? values : null;

    /// <exception cref="UsageException">Not an integer of 64 bits.</exception>
    public static long? IntegerOf(this ParseResult result, Option<string?> option)
    {
        string? text = result.GetValue(option);
        if (text is null)
        {
            return null;
        }

        return long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out long value)
            ? value
            : throw UsageException.InvalidArgument(text, Display(option), $"strconv.ParseInt: parsing {Output.GoText.Quote(text)}: invalid syntax");
    }

    /// <exception cref="UsageException">Not an integer within the bounds.</exception>
    public static int? IntegerOf(this ParseResult result, Option<string?> option, int least, int greatest)
    {
        long? value = result.IntegerOf(option);
        return value is null || (value >= least && value <= greatest)
            ? (int?)value
            : throw UsageException.InvalidArgument(result.GetValue(option)!, Display(option), $"expected a number from {least} to {greatest}");
    }

    /// <summary>A size in bytes.</summary>
    /// <param name="unlimited">Whether <c>-1</c> is a value too.</param>
    /// <exception cref="UsageException">Not a size.</exception>
    public static long? BytesOf(this ParseResult result, Option<string?> option, bool unlimited = false)
    {
        string? text = result.GetValue(option);
        if (text is null)
        {
            return null;
        }

        return unlimited && text == "-1" ? -1 : Convert(text, option, Quantity.ParseBytes);
    }

    /// <summary>Reads a flag's text with a parser whose refusals become the flag's.</summary>
    /// <exception cref="UsageException">The parser threw a FormatException or an engine's refusal.</exception>
    public static T Convert<T>(string text, Option option, Func<string, T> parse)
    {
        try
        {
            return parse(text);
        }
        catch (Exception exception) when (exception is FormatException or Hull.Engine.EngineException)
        {
            throw UsageException.InvalidArgument(text, Display(option), exception.Message);
        }
    }

    private static void AddAliases(Option option, string? shorthand, string? alias)
    {
        if (shorthand is not null)
        {
            option.Aliases.Add(shorthand);
        }

        if (alias is not null)
        {
            option.Aliases.Add(alias);
        }
    }
}
