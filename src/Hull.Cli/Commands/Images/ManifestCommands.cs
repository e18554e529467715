using System.CommandLine;
using System.Text.Json;
using Hull.Cli.Output;
using Hull.Cli.Parsing;
using Hull.Images.Registry;
using Hull.Oci;

namespace Hull.Cli.Commands.Images;

/// <summary><c>hull manifest</c>: lists of images for several platforms under one name.</summary>
internal static class ManifestCommands
{
    /// <summary>A new command; null for an unknown verb.</summary>
    public static HullCommand? Create(string verb, CliContext context) => verb switch
    {
        "annotate" => CreateAnnotate(context),
        "create" => CreateCreate(context),
        "inspect" => CreateInspect(context),
        "push" => CreatePush(context),
        "rm" => CreateRemove(context),
        _ => null,
    };

    private static HullCommand CreateCreate(CliContext context)
    {
        Option<bool?> amend = Flags.Switch("--amend", "Amend an existing manifest list", "-a");
        Option<bool?> insecure = InsecureOption();
        HullCommand command = new(
            "manifest create", "MANIFEST_LIST MANIFEST [MANIFEST...]", "Create a local manifest list of images of the store, or of registries", 2)
        {
            Completion = ArgumentCompletion.Images,
        };
        command.Add(amend);
        command.Add(insecure);
        command.SetAction(result =>
        {
            string[] names = command.Positional(result);
            ImageReference list = CommitCommand.Target(names[0]);
            CliContext.RequireRoot();
            ListMembers members = new(context.Images, new ManifestReader(context.Images, Settings(result.IsOn(insecure), names)));
            members.CreateListAsync(list, names[1..], result.IsOn(amend)).GetAwaiter().GetResult();
            context.Output.WriteLine($"Created manifest list {list}");
            return 0;
        });
        return command;
    }

    private static HullCommand CreateAnnotate(CliContext context)
    {
        Option<string?> architecture = Flags.Text("--arch", "string", "Set architecture");
        Option<string?> system = Flags.Text("--os", "string", "Set operating system");
        Option<string[]?> features = Flags.List("--os-features", "Set operating system feature", type: "stringSlice");
        Option<string?> version = Flags.Text("--os-version", "string", "Set operating system version");
        Option<string?> variant = Flags.Text("--variant", "string", "Set architecture variant");
        HullCommand command = new("manifest annotate", "[OPTIONS] MANIFEST_LIST MANIFEST", "Say what an image of a local manifest list runs on", 2, 2)
        {
            Completion = ArgumentCompletion.Images,
        };
        foreach (Option option in (ReadOnlySpan<Option>)[architecture, system, features, version, variant])
        {
            command.Add(option);
        }

        command.SetAction(result =>
        {
            string[] names = command.Positional(result);
            CliContext.RequireRoot();
            string[]? wanted = result.ListOf(features)?.SelectMany(static list => list.Split(',')).ToArray();
            context.Images.AnnotateList(CommitCommand.Target(names[0]), names[1], platform => platform with
            {
                Architecture = result.TextOf(architecture) ?? platform.Architecture,
                Os = result.TextOf(system) ?? platform.Os,
                OsFeatures = wanted ?? platform.OsFeatures,
                OsVersion = result.TextOf(version) ?? platform.OsVersion,
                Variant = result.TextOf(variant) ?? platform.Variant,
            });
            return 0;
        });
        return command;
    }

    private static HullCommand CreateInspect(CliContext context)
    {
        Option<bool?> insecure = InsecureOption();
        Option<bool?> verbose = Flags.Switch("--verbose", "Output additional info including layers and platform", "-v");
        HullCommand command = new(
            "manifest inspect", "[OPTIONS] [MANIFEST_LIST] MANIFEST", "Display a manifest or manifest list: a local one, an image's of the store, or a registry's", 1, 2)
        {
            Completion = ArgumentCompletion.Images,
        };
        command.Add(insecure);
        command.Add(verbose);
        command.SetAction(result =>
        {
            string[] names = command.Positional(result);
            CliContext.RequireRoot();
            ManifestReader reader = new(context.Images, Settings(result.IsOn(insecure), names));
            byte[] shown = names is [string list, string member] ? ManifestDocument.Of(reader.FindMember(CommitCommand.Target(list), member))
                : result.IsOn(verbose) ? ManifestDocument.OfEach(reader.FindEachAsync(names[0]).GetAwaiter().GetResult())
                : reader.FindAsync(names[0]).GetAwaiter().GetResult().Content;
            using JsonDocument document = JsonDocument.Parse(shown);
            context.Output.WriteLine(IndentedJson.Of(document.RootElement));
            return 0;
        });
        return command;
    }

    private static HullCommand CreatePush(CliContext context)
    {
        Option<bool?> insecure = InsecureOption();
        Option<bool?> purge = Flags.Switch("--purge", "Remove the local manifest list after push", "-p");
        Option<string?> progress = TransferOutput.ProgressOption();
        HullCommand command = new("manifest push", "[OPTIONS] MANIFEST_LIST", "Push a manifest list, and its images, to a repository", 1, 1)
        {
            Completion = ArgumentCompletion.Images,
        };
        command.Add(insecure);
        command.Add(purge);
        command.Add(progress);
        command.SetAction(result =>
        {
            ImageReference list = CommitCommand.Target(command.Positional(result)[0]);
            CliContext.RequireRoot();
            TransferOutput shown = TransferOutput.OfCommand(context, quiet: false, TransferOutput.ModeOf(result, progress));
            ImagePusher pusher = new(context.Images, Settings(result.IsOn(insecure), [list.ToString()]));
            PushResult pushed = pusher.PushListAsync(list, shown.Progress()).GetAwaiter().GetResult();
            if (result.IsOn(purge))
            {
                context.Images.RemoveList(list);
            }

            if (shown.Mode != ProgressMode.Json)
            {
                context.Output.WriteLine(pushed.Digest.ToString());
            }

            return 0;
        });
        return command;
    }

    private static HullCommand CreateRemove(CliContext context)
    {
        HullCommand command = new("manifest rm", "MANIFEST_LIST [MANIFEST_LIST...]", "Delete one or more local manifest lists", 1);
        command.SetAction(result => Each.Do(
            context, command.Positional(result), name => context.Images.RemoveList(CommitCommand.Target(name)), print: false));
        return command;
    }

    private static Option<bool?> InsecureOption() => Flags.Switch("--insecure", "Allow communication with an insecure registry");

    /// <summary>The machine's settings; with --insecure the registries of these names need no verified certificate.</summary>
    private static RegistrySettings Settings(bool insecure, IEnumerable<string> names)
    {
        RegistrySettings settings = RegistrySettings.Load();
        return !insecure ? settings : settings with
        {
            InsecureRegistries =
            [
                .. settings.InsecureRegistries,
                .. names.Select(static name => ImageReference.TryParse(name, out ImageReference? reference) ? reference.Domain : null).OfType<string>().Distinct(),
            ],
        };
    }
}
