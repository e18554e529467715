using Hull.Cli.Parsing;
using Hull.Engine.Containers;

namespace Hull.Cli.Commands;

/// <summary><c>hull create</c>: a container that is not started.</summary>
internal static class CreateCommand
{
    public static HullCommand Create(CliContext context, string path)
    {
        HullCommand command = new(path, "[OPTIONS] IMAGE [COMMAND] [ARG...]", "Create a new container", 1)
        {
            AliasLine = "hull container create, hull create",
            OptionsEndAtArgument = true,
            FailureExitCode = 125,
            Completion = ArgumentCompletion.Images,
        };
        ContainerFlags flags = new(command);
        command.SetAction(result => Run(
            context,
            flags.Read(result, command.Positional(result), attached: true),
            new PullRequest(flags.PullPolicy(result), flags.Platform(result), result.IsOn(flags.Quiet))));
        return command;
    }

    private static int Run(CliContext context, CreateRequest request, PullRequest pull)
    {
        CliContext.RequireRoot();
        ContainerConfig container = context.Engine.Create(request, Creation.FindImage(context, request, pull));
        Creation.WriteCidFile(context, container);
        context.Output.WriteLine(container.Id.Hex);
        return 0;
    }
}
