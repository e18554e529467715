namespace Hull.Networking.Dns;

/// <summary>What a resolv.conf(5) says, in its own words.</summary>
public sealed record ResolvConf
{
    /// <summary>Addresses as written, an IPv6 one perhaps with its zone; in order of use. Not checked.</summary>
    public IReadOnlyList<string> NameServers { get; private init; } = [];

    /// <summary>Of the last <c>search</c> or <c>domain</c> line.</summary>
    public IReadOnlyList<string> Search { get; private init; } = [];

    /// <summary>Of all <c>options</c> lines.</summary>
    public IReadOnlyList<string> Options { get; private init; } = [];

    /// <summary>Reads the text as glibc does: a keyword begins its line, and a line that means nothing is passed over.</summary>
    public static ResolvConf Parse(string text)
    {
        List<string> servers = [];
        List<string> options = [];
        string[] search = [];
        foreach (string line in text.Split('\n'))
        {
            string[] words = line.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
            if (words.Length < 2 || char.IsWhiteSpace(line[0]))
            {
                continue;
            }

            switch (words[0])
            {
                case "nameserver":
                    servers.Add(words[1]);
                    break;
                case "domain":
                    search = [words[1]];
                    break;
                case "search":
                    search = words[1..];
                    break;
                case "options":
                    options.AddRange(words.AsSpan(1));
                    break;
            }
        }

        return new ResolvConf { NameServers = servers, Search = search, Options = options };
    }

    /// <summary>The number of an option such as <c>timeout:3</c>; null where it is not there or no number. The last one counts.</summary>
    public int? Option(string name)
    {
        int? value = null;
        foreach (string option in Options)
        {
            if (option.Length > name.Length + 1 && option[name.Length] == ':' && option.StartsWith(name, StringComparison.Ordinal)
                && int.TryParse(option.AsSpan(name.Length + 1), System.Globalization.NumberStyles.None, null, out int number))
            {
                value = number;
            }
        }

        return value;
    }
}
