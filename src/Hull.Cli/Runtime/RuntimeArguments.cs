using Hull.Runtime;

namespace Hull.Cli.Runtime;

/// <summary>A parsed command line of <c>hull runtime</c>: options for all verbs, the verb, its own options, other words.</summary>
internal sealed class RuntimeArguments
{
    private readonly Dictionary<string, List<string>> _options = new(StringComparer.Ordinal);
    private readonly List<string> _positionals = [];
    private RuntimeVerb _verb = RuntimeVerb.Global;

    private RuntimeArguments()
    {
    }

    /// <summary>Empty where none was given.</summary>
    public string Verb => _verb.Name;

    /// <summary>The container's id, the first positional.</summary>
    public string Id => _positionals[0];

    public IReadOnlyList<string> Positionals => _positionals;

    public string? Positional(int index) => index < _positionals.Count ? _positionals[index] : null;

    /// <summary>The last value given for an option; <c>true</c> or <c>false</c> for a flag.</summary>
    public string? Option(string name) => _options.TryGetValue(name, out List<string>? values) ? values[^1] : null;

    public IReadOnlyList<string> All(string name) => _options.TryGetValue(name, out List<string>? values) ? values : [];

    /// <summary>Whether a flag is set: given, and not as <c>--flag=false</c>.</summary>
    public bool Has(string name) => Option(name) is { } value && value != "false";

    /// <exception cref="ContainerException">An unknown verb or option, one without its value, too many words.</exception>
    public static RuntimeArguments Parse(ReadOnlySpan<string> args)
    {
        RuntimeArguments parsed = Parse(args, out ContainerException? wrong);
        return wrong is null ? parsed : throw wrong;
    }

    /// <summary>Parses as far as it goes, so that what is wrong can be told where the words before it say: in the <c>--log</c>.</summary>
    public static RuntimeArguments Parse(ReadOnlySpan<string> args, out ContainerException? wrong)
    {
        RuntimeArguments parsed = new();
        try
        {
            parsed.Read(args);
            wrong = null;
        }
        catch (ContainerException error)
        {
            wrong = error;
        }

        return parsed;
    }

    private void Read(ReadOnlySpan<string> args)
    {
        bool options = true;
        for (int i = 0; i < args.Length; i++)
        {
            string word = args[i];
            // After the id everything is the payload's, or ps's.
            bool payload = Verb is "exec" or "ps" && _positionals.Count > 0;
            if (options && !payload && word == "--")
            {
                options = false;
            }
            else if (!options || payload || word.Length < 2 || word[0] != '-')
            {
                AddWord(word);
            }
            else
            {
                AddOption(word, args, ref i);
            }
        }

        if (Verb.Length > 0 && !Has("--help"))
        {
            _verb.CheckCount(_positionals);
        }
    }

    private void AddWord(string word)
    {
        if (Verb.Length == 0)
        {
            _verb = RuntimeVerb.Of(word);
        }
        else
        {
            _positionals.Add(word);
        }
    }

    private void AddOption(string word, ReadOnlySpan<string> args, ref int i)
    {
        int equals = word.StartsWith("--", StringComparison.Ordinal) ? word.IndexOf('=', StringComparison.Ordinal) : -1;
        string name = equals > 0 ? word[..equals] : word;
        RuntimeOption option = _verb.Option(name);
        string? value = equals > 0 ? word[(equals + 1)..] : null;
        if (option.Kind == OptionKind.Flag)
        {
            value ??= "true";
            if (value is not ("true" or "false"))
            {
                throw new ContainerException(ContainerFault.Engine, $"{name}={value}: a flag is true or false");
            }
        }
        else if (value is null)
        {
            value = ++i < args.Length ? args[i] : throw new ContainerException(ContainerFault.Engine, $"option {name} of '{_verb.Called}' needs a value");
        }

        if (!_options.TryGetValue(option.Name, out List<string>? values))
        {
            _options[option.Name] = values = [];
        }

        values.Add(value);
    }
}
