using System.CommandLine;
using Hull.Cli.Parsing;
using Hull.Engine.Containers;

namespace Hull.Cli.Commands;

/// <summary><c>hull export</c>: a container's files as an archive.</summary>
internal static class ExportCommand
{
    public static HullCommand Create(CliContext context, string path)
    {
        Option<string?> output = Flags.Text("--output", "string", "Write to a file, instead of STDOUT", "-o");
        HullCommand command = new(path, "[OPTIONS] CONTAINER", "Export a container's filesystem as a tar archive", 1, 1)
        {
            AliasLine = "hull container export, hull export",
            Completion = ArgumentCompletion.Containers,
        };
        command.Add(output);
        command.SetAction(result =>
        {
            ContainerId id = context.Engine.Find(command.Positional(result)[0]);
            ArchiveOutput.Write(context, result.TextOf(output), stream => context.Engine.Export(id, stream));
            return 0;
        });
        return command;
    }
}
