using System.CommandLine;
using Hull.Cli.Parsing;
using Hull.Engine;
using Hull.Images;

namespace Hull.Cli.Commands.Images;

/// <summary><c>hull rmi</c>: names of images, and images without names left.</summary>
internal static class RemoveImageCommand
{
    public static HullCommand Create(CliContext context, string path)
    {
        Option<bool?> force = Flags.Switch("--force", "Force removal of the image", "-f");
        Option<bool?> keep = Flags.Switch("--no-prune", "Do not delete untagged parents");
        Option<string[]?> platform = Flags.List("--platform", "Remove only the given platform variant", type: "strings");
        platform.Hidden = true;
        HullCommand command = new(path, "[OPTIONS] IMAGE [IMAGE...]", "Remove one or more images", 1)
        {
            AliasLine = "hull image rm, hull image remove, hull rmi",
            Completion = ArgumentCompletion.Images,
        };
        command.Add(force);
        command.Add(keep);
        command.Add(platform);
        command.SetAction(result => result.ListOf(platform) is null
            ? Run(context, command.Positional(result), result.IsOn(force))
            : throw new EngineException(EngineErrorKind.Unsupported, "--platform is not available yet: images are stored for one platform"));
        return command;
    }

    private static int Run(CliContext context, string[] names, bool force)
    {
        CliContext.RequireRoot();
        return Each.Do(
            context,
            names,
            name =>
            {
                try
                {
                    foreach (RemovedItem item in context.Images.Remove(name, force, context.Engine.ImageUses))
                    {
                        context.Output.WriteLine(item.ToString());
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
