using Hull.Cli.Parsing;

namespace Hull.Cli.Commands;

/// <summary><c>hull rename</c>.</summary>
internal static class RenameCommand
{
    public static HullCommand Create(CliContext context, string path)
    {
        HullCommand command = new(path, "CONTAINER NEW_NAME", "Rename a container", 2, 2)
        {
            AliasLine = "hull container rename, hull rename",
            Completion = ArgumentCompletion.Containers,
        };
        command.SetAction(result => Run(context, command.Positional(result)));
        return command;
    }

    private static int Run(CliContext context, string[] names)
    {
        context.Engine.Rename(context.Engine.Find(names[0]), names[1]);
        return 0;
    }
}
