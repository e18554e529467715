using System.CommandLine;
using Hull.Cli.Parsing;
using Hull.Engine;

namespace Hull.Cli.Commands;

/// <summary><c>hull rm</c>: the container's record, its layer and its logs.</summary>
internal static class RemoveCommand
{
    public static HullCommand Create(CliContext context, string path)
    {
        Option<bool?> force = Flags.Switch("--force", "Force the removal of a running container (uses SIGKILL)", "-f");
        Option<bool?> link = Flags.Switch("--link", "Remove the specified link", "-l");
        Option<bool?> volumes = Flags.Switch("--volumes", "Remove anonymous volumes associated with the container", "-v");
        HullCommand command = new(path, "[OPTIONS] CONTAINER [CONTAINER...]", "Remove one or more containers", 1)
        {
            AliasLine = "hull container rm, hull container remove, hull rm",
            Completion = ArgumentCompletion.Containers,
        };
        link.Hidden = true;
        command.Add(force);
        command.Add(link);
        command.Add(volumes);
        command.SetAction(result => result.IsOn(link)
            ? throw EngineException.Unsupported("--link is not available: a link goes with either of its containers")
            : Run(context, command.Positional(result), result.IsOn(force), result.IsOn(volumes)));
        return command;
    }

    private static int Run(CliContext context, string[] containers, bool force, bool volumes) => Each.Do(
        context,
        containers,
        name =>
        {
            try
            {
                context.Engine.Remove(context.Engine.Find(name), force, volumes);
            }
            catch (EngineException missing) when (force && missing.Kind == EngineErrorKind.NotFound)
            {
                // rm -f wants it gone, and it is: docker says so and calls it no failure (28.0).
                context.Error.WriteLine("hull: " + missing.Message);
            }
        });
}
