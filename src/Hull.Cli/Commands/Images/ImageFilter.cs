using Hull.Cli.Parsing;
using Hull.Images;
using Hull.Oci;

namespace Hull.Cli.Commands.Images;

/// <summary>The filters of <c>images --filter</c>: of <c>reference</c> any will do, of the others all must hold.</summary>
internal sealed class ImageFilter
{
    private static readonly string[] Keys = ["before", "dangling", "label", "reference", "since", "until"];

    private readonly List<FilterTerm> _wanted;
    private readonly Dictionary<string, DateTimeOffset> _instants = [];

    private ImageFilter(List<FilterTerm> wanted) => _wanted = wanted;

    /// <exception cref="FormatException">Not <c>key=value</c>, or no such key.</exception>
    public static ImageFilter Parse(IReadOnlyList<string> filters) => new(FilterTerm.ParseAll(filters, Keys));

    /// <summary>Looks up the images that <c>before</c> and <c>since</c> name.</summary>
    /// <exception cref="ImageException">There is no such image.</exception>
    public void Bind(ImageStore store)
    {
        foreach ((string key, string value) in _wanted)
        {
            if (key is "before" or "since")
            {
                _instants[value] = store.Find(value).Required().Created;
            }
        }
    }

    /// <param name="now">What a <c>until</c> of so long ago counts back from.</param>
    public bool Matches(Image image, DateTimeOffset now) =>
        _wanted.TrueForAll(one => one.Key == "reference" || Matches(image, one.Key, one.Value, now))
        && (!_wanted.Exists(static one => one.Key == "reference") || _wanted.Exists(one => one.Key == "reference" && HasName(image, one.Value)));

    private bool Matches(Image image, string key, string value, DateTimeOffset now) => key switch
    {
        "dangling" => (image.RepoTags.Count == 0 && !image.IsSibling) == value is "true" or "1",
        "label" => LabelFilter.Has(image.Config.Defaults?.Labels, value),
        "before" => image.Created < _instants[value],
        "since" => image.Created > _instants[value],
        _ => Quantity.TryParseInstant(value, now, out DateTimeOffset? instant) && image.Created < instant,
    };

    /// <summary>Whether a name is the one wanted: a repository, one with a tag, or a pattern with <c>*</c> and <c>?</c>.</summary>
    public static bool IsNamed(ImageReference name, string wanted) =>
        System.IO.Enumeration.FileSystemName.MatchesSimpleExpression(wanted, name.FamiliarName, ignoreCase: false)
        || System.IO.Enumeration.FileSystemName.MatchesSimpleExpression(wanted, name.Familiar, ignoreCase: false)
        || wanted == name.Name || wanted == name.ToString();

    private static bool HasName(Image image, string pattern)
    {
        foreach (ImageReference name in image.References)
        {
            if (IsNamed(name, pattern))
            {
                return true;
            }
        }

        return false;
    }
}
