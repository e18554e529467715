using System.CommandLine;
using Hull.Cli.Parsing;
using Hull.Images;
using Hull.Oci.ImageSpec;

namespace Hull.Cli.Commands.Images;

/// <summary><c>hull rmi</c>: names of images, and images without names left.</summary>
internal static class RemoveImageCommand
{
    public static HullCommand Create(CliContext context, string path)
    {
        Option<bool?> force = Flags.Switch("--force", "Force removal of the image", "-f");
        Option<bool?> keep = Flags.Switch("--no-prune", "Do not delete untagged parents");
        Option<string[]?> platform = Flags.List("--platform", "Remove only the given platform variant", type: "strings");
        HullCommand command = new(path, "[OPTIONS] IMAGE [IMAGE...]", "Remove one or more images", 1)
        {
            AliasLine = "hull image rm, hull image remove, hull rmi",
            Completion = ArgumentCompletion.Images,
        };
        command.Add(force);
        command.Add(keep);
        command.Add(platform);
        command.SetAction(result => Run(
            context,
            command.Positional(result),
            result.IsOn(force),
            [.. (result.ListOf(platform) ?? []).SelectMany(list => list.Split(',')).Select(PullCommand.ParsePlatform)]));
        return command;
    }

    private static int Run(CliContext context, string[] names, bool force, IReadOnlyList<Platform?> platforms)
    {
        CliContext.RequireRoot();
        return Each.Do(
            context,
            names,
            name =>
            {
                try
                {
                    foreach (Platform? platform in platforms.Count > 0 ? platforms : [null])
                    {
                        foreach (RemovedItem item in context.Images.Remove(name, force, context.Engine.ImageUses, platform))
                        {
                            context.Output.WriteLine(item.ToString());
                        }
                    }
                }
                catch (ImageException missing) when (force && missing.Kind == ImageError.NotFound)
                {
                    context.Error.WriteLine("hull: " + missing.Message);
                }
            },
            print: false);
    }
}
