using System.CommandLine;
using Hull.Cli.Parsing;
using Hull.Engine;
using Hull.Images;
using Hull.Images.Registry;
using Hull.Oci;
using Hull.Oci.ImageSpec;

namespace Hull.Cli.Commands.Images;

/// <summary><c>hull push</c>.</summary>
internal static class PushCommand
{
    public static HullCommand Create(CliContext context, string path)
    {
        Option<bool?> all = Flags.Switch("--all-tags", "Push all tags of an image to the repository", "-a");
        Option<bool?> trust = Flags.Switch("--disable-content-trust", "Skip image signing (default true)");
        Option<string?> platform = Flags.Text("--platform", "string", "Push a platform-specific manifest as a single-platform image to the registry");
        Option<string?> progress = TransferOutput.ProgressOption();
        Option<bool?> quiet = Flags.Switch("--quiet", "Suppress verbose output", "-q");
        trust.Hidden = true;
        HullCommand command = new(path, "[OPTIONS] NAME[:TAG]", "Upload an image to a registry", 1, 1)
        {
            AliasLine = "hull image push, hull push",
            Completion = ArgumentCompletion.Images,
        };
        foreach (Option option in (ReadOnlySpan<Option>)[all, trust, platform, progress, quiet])
        {
            command.Add(option);
        }

        command.SetAction(result =>
        {
            TransferOutput shown = TransferOutput.OfCommand(context, result.IsOn(quiet), TransferOutput.ModeOf(result, progress));
            return Run(context, command.Positional(result)[0], result.IsOn(all), PullCommand.ParsePlatform(result.TextOf(platform)), shown);
        });
        return command;
    }

    private static int Run(CliContext context, string name, bool all, Platform? platform, TransferOutput shown)
    {
        ImageReference reference = ImageReference.TryParse(name, out ImageReference? parsed, out string? problem)
            ? parsed
            : throw EngineException.Invalid(problem!);
        if (reference.Digest is not null)
        {
            throw EngineException.Invalid($"cannot push a digest reference: give {reference.FamiliarName} a tag, and push that");
        }

        CliContext.RequireRoot();
        bool tagged = PullCommand.HasTag(name, reference);
        if (all && tagged)
        {
            throw EngineException.Invalid("tag can't be used with --all-tags/-a");
        }

        if (!all && !tagged && !shown.IsQuiet && shown.Mode != ProgressMode.Json)
        {
            context.Output.WriteLine("Using default tag: latest");
        }

        IReadOnlyList<ImageReference> references = all ? Tags(context.Images, reference) : [reference];
        ImagePusher pusher = new(context.Images, RegistrySettings.Load()) { Platform = platform };
        IReadOnlyList<PushResult> results = pusher.PushAsync(references, shown.Progress()).GetAwaiter().GetResult();
        foreach (PushResult result in results.Where(result => result.Missing.Count > 0))
        {
            context.Error.WriteLine(
                $"hull: {result.Reference.Familiar}: pushed for one platform, for the rest of its index is not here: {string.Join(", ", result.Missing)} "
                    + "(hull pull --all-platforms fetches them from where the image came from)");
        }

        if (shown.IsQuiet)
        {
            foreach (PushResult result in results)
            {
                context.Output.WriteLine(result.Reference.ToString());
            }
        }

        return 0;
    }

    private static IReadOnlyList<ImageReference> Tags(ImageStore images, ImageReference repository)
    {
        IReadOnlyList<ImageReference> tags = images.TagsOf(repository);
        return tags.Count > 0
            ? tags
            : throw EngineException.NotFound($"An image does not exist locally with the tag: {repository.FamiliarName} (hull images lists those there are)");
    }
}
