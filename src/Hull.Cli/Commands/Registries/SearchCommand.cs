using System.CommandLine;
using System.Globalization;
using Hull.Cli.Output;
using Hull.Cli.Parsing;
using Hull.Cli.Templates;
using Hull.Images.Registry;

namespace Hull.Cli.Commands.Registries;

/// <summary><c>hull search</c>.</summary>
internal static class SearchCommand
{
    /// <summary>As docker shows descriptions.</summary>
    private const int DescriptionWidth = 45;

    private const int DefaultLimit = 25;
    private const int MaximumLimit = 100;

    private static readonly TemplateField[] Fields =
    [
        new("Name", "NAME"), new("Description", "DESCRIPTION"), new("StarCount", "STARS"), new("IsOfficial", "OFFICIAL"), new("IsAutomated", "AUTOMATED"),
    ];

    public static HullCommand Create(CliContext context)
    {
        Option<string[]?> filter = Flags.List("--filter", "Filter output based on conditions provided (is-official=BOOL, is-automated=BOOL, stars=N)", "-f", "filter");
        Option<string?> format = Formats.TableOption();
        Option<string?> limit = Flags.Text("--limit", "int", "Max number of search results");
        Option<bool?> whole = Flags.Switch("--no-trunc", "Don't truncate output");
        HullCommand command = new("search", "[OPTIONS] TERM", "Search Docker Hub for images, or REGISTRY/TERM for repositories of another registry", 1, 1);
        foreach (Option option in (ReadOnlySpan<Option>)[filter, format, limit, whole])
        {
            command.Add(option);
        }

        command.SetAction(result =>
        {
            string[] filters = result.ListOf(filter) ?? [];
            Predicate<FoundRepository> wanted = Flags.Convert(string.Join(',', filters), filter, _ => Filter(filters));
            Listing listing = Listing.Parse(result.TextOf(format), "{{.Name}}\t{{.Description}}\t{{.StarCount}}\t{{.IsOfficial}}");
            int most = result.IntegerOf(limit, 1, MaximumLimit) ?? DefaultLimit;
            IReadOnlyList<FoundRepository> found = new RegistrySearch(RegistrySettings.Load())
                .FindAsync(command.Positional(result)[0], most).GetAwaiter().GetResult();
            bool truncate = !result.IsOn(whole);
            listing.Write(context.Output, Fields, [.. found.Where(one => wanted(one))
                .OrderByDescending(one => one.StarCount)
                .Select(one => new TemplateRow(Fields, (field, _) => TemplateValue.Of(Text(one, field, truncate))))]);
            return 0;
        });
        return command;
    }

    /// <exception cref="FormatException">Not <c>key=value</c>, or no such key.</exception>
    internal static Predicate<FoundRepository> Filter(IReadOnlyList<string> filters)
    {
        List<Predicate<FoundRepository>> all = [.. filters.Select(One)];
        return found => all.TrueForAll(one => one(found));
    }

    private static Predicate<FoundRepository> One(string text) => text.Split('=', 2) switch
    {
        ["is-official", string value] when bool.TryParse(value, out bool official) => found => found.IsOfficial == official,
        ["is-automated", string value] when bool.TryParse(value, out bool automated) => found => found.IsAutomated == automated,
        ["stars", string value] when int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out int stars) => found => found.StarCount >= stars,
        _ => throw new FormatException($"invalid filter '{text}' (use is-official=true, is-automated=true or stars=3)"),
    };

    private static string Text(FoundRepository found, string field, bool truncate) => field switch
    {
        "Name" => found.Name,
        "Description" => truncate ? GoText.Ellipsis(found.Description, DescriptionWidth) : found.Description,
        "StarCount" => found.StarCount.ToString(CultureInfo.InvariantCulture),
        "IsOfficial" => found.IsOfficial ? "[OK]" : "",
        _ => found.IsAutomated ? "[OK]" : "",
    };
}
