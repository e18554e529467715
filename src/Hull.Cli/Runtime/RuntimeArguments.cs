using Hull.Runtime;

namespace Hull.Cli.Runtime;

/// <summary>A parsed command line of <c>hull runtime</c>: global options, the verb, its options, positionals.</summary>
internal sealed class RuntimeArguments
{
    /// <summary>Options that take a value, by every spelling, with the one they are kept under.</summary>
    private static readonly Dictionary<string, string> Valued = new(StringComparer.Ordinal)
    {
        ["--root"] = "--root",
        ["--log"] = "--log",
        ["--log-format"] = "--log-format",
        ["--bundle"] = "--bundle",
        ["-b"] = "--bundle",
        ["--pid-file"] = "--pid-file",
        ["--console-socket"] = "--console-socket",
        ["--preserve-fds"] = "--preserve-fds",
        ["--cwd"] = "--cwd",
        ["--env"] = "--env",
        ["-e"] = "--env",
        ["--user"] = "--user",
        ["-u"] = "--user",
        ["--additional-gids"] = "--additional-gids",
        ["-g"] = "--additional-gids",
        ["--process"] = "--process",
        ["-p"] = "--process",
        ["--cap"] = "--cap",
        ["-c"] = "--cap",
        ["--apparmor"] = "--apparmor",
        ["--process-label"] = "--process-label",
        ["--format"] = "--format",
    };

    private static readonly Dictionary<string, string> Flags = new(StringComparer.Ordinal)
    {
        ["--debug"] = "--debug",
        ["--systemd-cgroup"] = "--systemd-cgroup",
        ["--detach"] = "--detach",
        ["-d"] = "--detach",
        ["--no-pivot"] = "--no-pivot",
        ["--no-new-keyring"] = "--no-new-keyring",
        ["--no-subreaper"] = "--no-subreaper",
        ["--keep"] = "--keep",
        ["--quiet"] = "--quiet",
        ["-q"] = "--quiet",
        ["--all"] = "--all",
        ["-a"] = "--all",
        ["--force"] = "--force",
        ["-f"] = "--force",
        ["--tty"] = "--tty",
        ["-t"] = "--tty",
        ["--no-new-privs"] = "--no-new-privs",
        ["--ignore-paused"] = "--ignore-paused",
        ["--help"] = "--help",
        ["-h"] = "--help",
        ["--version"] = "--version",
        ["-v"] = "--version",
    };

    private readonly Dictionary<string, List<string>> _options = new(StringComparer.Ordinal);
    private readonly List<string> _positionals = [];

    private RuntimeArguments()
    {
    }

    public string Verb { get; private set; } = "";

    /// <summary>The container's id, the first positional.</summary>
    public string Id => Positional(0) ?? throw new ContainerException(ContainerFault.Engine, $"{Verb}: the container's id is missing");

    public IReadOnlyList<string> Positionals => _positionals;

    public string? Positional(int index) => index < _positionals.Count ? _positionals[index] : null;

    /// <summary>The last value given for an option.</summary>
    public string? Option(string name) => _options.TryGetValue(name, out List<string>? values) ? values[^1] : null;

    public IReadOnlyList<string> All(string name) => _options.TryGetValue(name, out List<string>? values) ? values : [];

    public bool Has(string name) => _options.ContainsKey(name);

    /// <exception cref="ContainerException">An unknown option, or one without its value.</exception>
    public static RuntimeArguments Parse(ReadOnlySpan<string> args)
    {
        RuntimeArguments parsed = new();
        for (int i = 0; i < args.Length; i++)
        {
            string word = args[i];
            // After the id everything is the payload's, or ps's.
            bool payload = parsed.Verb is "exec" or "ps" && parsed._positionals.Count > 0;
            if (payload || word.Length < 2 || word[0] != '-')
            {
                parsed.AddWord(word);
                continue;
            }

            if (word == "--")
            {
                continue;
            }

            int equals = word.StartsWith("--", StringComparison.Ordinal) ? word.IndexOf('=', StringComparison.Ordinal) : -1;
            string name = equals > 0 ? word[..equals] : word;
            if (name == "--rootless")
            {
                // Before the verb it is a word (true, false, auto), after spec it is a flag.
                string value = equals > 0 ? word[(equals + 1)..] : parsed.Verb.Length > 0 ? "true" : ++i < args.Length ? args[i] : "";
                parsed.Add(name, value is "true" or "false" or "auto"
                    ? value : throw new ContainerException(ContainerFault.Engine, $"--rootless {value}: expected true, false or auto"));
                continue;
            }

            if (Flags.TryGetValue(name, out string? flag))
            {
                parsed.Add(flag, equals > 0 ? word[(equals + 1)..] : "true");
            }
            else if (Valued.TryGetValue(name, out string? valued))
            {
                if (equals < 0 && ++i == args.Length)
                {
                    throw new ContainerException(ContainerFault.Engine, $"option {name} needs a value");
                }

                parsed.Add(valued, equals > 0 ? word[(equals + 1)..] : args[i]);
            }
            else
            {
                throw new ContainerException(ContainerFault.Engine, $"unknown option {name}");
            }
        }

        return parsed;
    }

    private void AddWord(string word)
    {
        if (Verb.Length == 0)
        {
            Verb = word;
        }
        else
        {
            _positionals.Add(word);
        }
    }

    private void Add(string name, string value)
    {
        if (!_options.TryGetValue(name, out List<string>? values))
        {
            _options[name] = values = [];
        }

        values.Add(value);
    }
}
