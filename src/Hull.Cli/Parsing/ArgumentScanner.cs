using System.CommandLine;

namespace Hull.Cli.Parsing;

/// <summary>Reads a command line by docker's rules (those of Go's pflag) and writes it in the one form that needs no rules:
/// <c>--name=value</c> for every flag, then <c>--</c> and the arguments. System.CommandLine parses that.</summary>
/// <remarks>System.CommandLine alone would take <c>--rm true</c> for a value, read <c>--volume:x</c>, refuse a flag given
/// twice, take an option-like value for an option, and not stop at the image.</remarks>
internal static class ArgumentScanner
{
    /// <param name="arguments">What follows the command's own words.</param>
    /// <exception cref="UsageException">An unknown flag, a flag without its value, a wrong truth value.</exception>
    public static ScannedArguments Scan(HullCommand command, ReadOnlySpan<string> arguments)
    {
        List<KeyValuePair<Option, string>> flags = [];
        List<string> positional = [];
        bool help = false;
        int at = 0;
        while (at < arguments.Length && !help)
        {
            string argument = arguments[at++];
            if (argument == "--")
            {
                positional.AddRange(arguments[at..]);
                break;
            }

            if (argument.Length < 2 || argument[0] != '-')
            {
                positional.Add(argument);
                if (command.OptionsEndAtArgument)
                {
                    positional.AddRange(arguments[at..]);
                    break;
                }
            }
            else if (argument[1] == '-')
            {
                help = ScanLong(command, argument, arguments, ref at, flags);
            }
            else
            {
                help = ScanShort(command, argument, arguments, ref at, flags);
            }
        }

        return new ScannedArguments(Write(flags, positional), positional, help);
    }

    /// <summary>One <c>--name</c>, <c>--name=value</c> or <c>--name value</c>; true where it asks for the help.</summary>
    private static bool ScanLong(
        HullCommand command, string argument, ReadOnlySpan<string> arguments, ref int at, List<KeyValuePair<Option, string>> flags)
    {
        int equals = argument.IndexOf('=', StringComparison.Ordinal);
        ReadOnlySpan<char> name = equals < 0 ? argument : argument.AsSpan(0, equals);
        Option? option = Find(command, name);
        if (option is null)
        {
            return name is "--help" ? true
                : name.Length == 2 ? throw new UsageException($"bad flag syntax: {argument}")
                : throw new UsageException($"unknown flag: {name}");
        }

        string value;
        if (equals >= 0)
        {
            value = argument[(equals + 1)..];
        }
        else if (Flags.IsSwitch(option))
        {
            value = "true";
        }
        else if (option is OptionalValueOption optional)
        {
            value = optional.Bare;
        }
        else if (at < arguments.Length)
        {
            value = arguments[at++];
        }
        else
        {
            throw new UsageException($"flag needs an argument: {argument}");
        }

        flags.Add(new(option, value));
        return false;
    }

    /// <summary>A bundle of one-letter flags, the last of which may have a value: <c>-it</c>, <c>-p8080:80</c>, <c>-e K</c>.</summary>
    private static bool ScanShort(
        HullCommand command, string argument, ReadOnlySpan<string> arguments, ref int at, List<KeyValuePair<Option, string>> flags)
    {
        Span<char> name = ['-', ' '];
        for (int i = 1; i < argument.Length; i++)
        {
            name[1] = argument[i];
            Option? option = Find(command, name);
            if (option is null)
            {
                return argument[i] == 'h' ? true
                    : throw new UsageException($"unknown shorthand flag: '{argument[i]}' in -{argument[i..]}");
            }

            if (i + 1 < argument.Length && argument[i + 1] == '=')
            {
                flags.Add(new(option, argument[(i + 2)..]));
                return false;
            }

            if (Flags.IsSwitch(option))
            {
                flags.Add(new(option, "true"));
                continue;
            }

            if (i + 1 < argument.Length)
            {
                flags.Add(new(option, argument[(i + 1)..]));
            }
            else if (at < arguments.Length)
            {
                flags.Add(new(option, arguments[at++]));
            }
            else
            {
                throw new UsageException($"flag needs an argument: '{argument[i]}' in -{argument[i..]}");
            }

            return false;
        }

        return false;
    }

    private static Option? Find(HullCommand command, ReadOnlySpan<char> name)
    {
        foreach (Option option in command.Options)
        {
            if (name.SequenceEqual(option.Name))
            {
                return option;
            }
        }

        foreach (Option option in command.Options)
        {
            foreach (string alias in option.Aliases)
            {
                if (name.SequenceEqual(alias))
                {
                    return option;
                }
            }
        }

        return null;
    }

    private static string[] Write(List<KeyValuePair<Option, string>> flags, List<string> positional)
    {
        List<string> tokens = new(flags.Count + positional.Count + 1);
        for (int i = 0; i < flags.Count; i++)
        {
            (Option option, string value) = flags[i];
            if (Flags.IsSwitch(option))
            {
                bool on = ParseBool(option, value);
                value = on ? "true" : "false";
            }

            if (Flags.IsList(option) || !IsRepeated(flags, i))
            {
                // An empty value after the equals sign would count as none.
                tokens.Add(value.Length > 0 ? string.Concat(option.Name, "=", value) : option.Name);
                if (value.Length == 0)
                {
                    tokens.Add(value);
                }
            }
        }

        if (positional.Count > 0)
        {
            tokens.Add("--");
            tokens.AddRange(positional);
        }

        return [.. tokens];
    }

    private static bool IsRepeated(List<KeyValuePair<Option, string>> flags, int index)
    {
        for (int i = index + 1; i < flags.Count; i++)
        {
            if (ReferenceEquals(flags[i].Key, flags[index].Key))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>The truth values of Go's strconv.ParseBool.</summary>
    private static bool ParseBool(Option option, string value) => value switch
    {
        "1" or "t" or "T" or "true" or "TRUE" or "True" => true,
        "0" or "f" or "F" or "false" or "FALSE" or "False" => false,
        _ => throw UsageException.InvalidArgument(
            value, Flags.Display(option), $"strconv.ParseBool: parsing {Output.GoText.Quote(value)}: invalid syntax"),
    };
}

/// <summary>A command line in its plain form.</summary>
/// <param name="Tokens">For System.CommandLine.</param>
/// <param name="Positional">The arguments alone.</param>
/// <param name="Help">Whether the help was asked for; what follows that was not read.</param>
internal sealed record ScannedArguments(string[] Tokens, IReadOnlyList<string> Positional, bool Help);

/// <summary>A flag whose value may be left out; a value is given with <c>=</c> only.</summary>
internal sealed class OptionalValueOption : Option<string?>
{
    /// <param name="bare">The value of the flag alone.</param>
    public OptionalValueOption(string name, string bare)
        : base(name) => Bare = bare;

    public string Bare { get; }
}
