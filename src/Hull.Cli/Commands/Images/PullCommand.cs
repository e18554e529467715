using System.CommandLine;
using Hull.Cli.Parsing;
using Hull.Engine;
using Hull.Images;
using Hull.Images.Registry;
using Hull.Oci;
using Hull.Oci.ImageSpec;

namespace Hull.Cli.Commands.Images;

/// <summary><c>hull pull</c>.</summary>
internal static class PullCommand
{
    public static HullCommand Create(CliContext context, string path)
    {
        Option<bool?> every = Flags.Switch("--all-platforms", "Download the images for all platforms");
        Option<bool?> all = Flags.Switch("--all-tags", "Download all tagged images in the repository", "-a");
        Option<bool?> trust = Flags.Switch("--disable-content-trust", "Skip image verification (default true)");
        Option<string?> platform = Flags.Text("--platform", "string", "Set platform if server is multi-platform capable");
        Option<string?> progress = TransferOutput.ProgressOption();
        Option<bool?> quiet = Flags.Switch("--quiet", "Suppress verbose output", "-q");
        trust.Hidden = true;
        HullCommand command = new(path, "[OPTIONS] NAME[:TAG|@DIGEST]", "Download an image from a registry", 1, 1)
        {
            AliasLine = "hull image pull, hull pull",
        };
        foreach (Option option in (ReadOnlySpan<Option>)[every, all, trust, platform, progress, quiet])
        {
            command.Add(option);
        }

        command.SetAction(result =>
        {
            CliContext.RequireRoot();
            string name = command.Positional(result)[0];
            TransferOutput shown = TransferOutput.OfCommand(context, result.IsOn(quiet), TransferOutput.ModeOf(result, progress));
            bool json = shown.Mode == ProgressMode.Json && !shown.IsQuiet;
            bool tagged = ImageReference.TryParse(name, out ImageReference? reference) && HasTag(name, reference);
            if (tagged && result.IsOn(all))
            {
                throw EngineException.Invalid("tag can't be used with --all-tags/-a");
            }

            if (result.IsOn(every) && result.TextOf(platform) is not null)
            {
                throw EngineException.Invalid("--all-platforms and --platform exclude each other");
            }

            if (reference is not null && !tagged && !result.IsOn(all) && !shown.IsQuiet && !json)
            {
                context.Output.WriteLine("Using default tag: latest");
            }

            ImagePuller puller = Puller(context, result.IsOn(every));
            string full = result.IsOn(all)
                ? PullAll(puller, name, result.TextOf(platform), shown)
                : Pull(puller, name, result.TextOf(platform), shown);
            if (!json)
            {
                context.Output.WriteLine(full);
            }

            return 0;
        });
        return command;
    }

    /// <summary>Fetches an image and returns its full name.</summary>
    /// <param name="platform"><c>os[/arch[/variant]]</c>; null for the host's.</param>
    public static string Pull(CliContext context, string name, string? platform, TransferOutput shown) =>
        Pull(Puller(context, allPlatforms: false), name, platform, shown);

    private static string Pull(ImagePuller puller, string name, string? platform, TransferOutput shown)
    {
        PullResult result = puller.PullAsync(Parse(name), ParsePlatform(platform), shown.Progress()).GetAwaiter().GetResult();
        return result.Reference.ToString();
    }

    /// <summary>Fetches all tags of a repository and returns its full name.</summary>
    private static string PullAll(ImagePuller puller, string name, string? platform, TransferOutput shown)
    {
        ImageReference repository = Parse(name);
        IReadOnlyList<PullResult> results =
            puller.PullAllAsync(repository, ParsePlatform(platform), shown.Progress()).GetAwaiter().GetResult();
        return results.Count > 0 ? repository.Name : throw EngineException.NotFound($"{repository.FamiliarName} has no tags");
    }

    private static ImagePuller Puller(CliContext context, bool allPlatforms) =>
        new(context.Images, RegistrySettings.Load()) { AllPlatforms = allPlatforms };

    private static ImageReference Parse(string name) =>
        ImageReference.TryParse(name, out ImageReference? parsed, out string? problem) ? parsed : throw EngineException.Invalid(problem!);

    /// <summary>Whether a tag or digest was typed, as opposed to added: <c>latest</c>.</summary>
    internal static bool HasTag(string typed, ImageReference reference) =>
        reference.Digest is not null || typed.EndsWith(":" + reference.Tag, StringComparison.Ordinal);

    internal static Platform? ParsePlatform(string? text)
    {
        if (text is null)
        {
            return null;
        }

        try
        {
            return PlatformMatch.Parse(text);
        }
        catch (FormatException e)
        {
            throw EngineException.Invalid(e.Message);
        }
    }
}
