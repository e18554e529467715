using System.Text;
using Hull.Cli.Parsing;
using Hull.Images.Diffing;

namespace Hull.Cli.Commands;

/// <summary><c>hull diff</c>: the paths that a container has changed of its image.</summary>
internal static class DiffCommand
{
    public static HullCommand Create(CliContext context, string path)
    {
        HullCommand command = new(path, "CONTAINER", "Inspect changes to files or directories on a container's filesystem", 1, 1)
        {
            AliasLine = "hull container diff, hull diff",
            Completion = ArgumentCompletion.Containers,
        };
        command.SetAction(result =>
        {
            Write(context.Output, context.Engine.Diff(context.Engine.Find(command.Positional(result)[0])));
            return 0;
        });
        return command;
    }

    /// <summary>A line for each path: C, A or D, and where it is.</summary>
    public static void Write(TextWriter output, IReadOnlyList<PathChange> changes)
    {
        foreach (PathChange change in changes)
        {
            string kind = change.Kind switch
            {
                ChangeKind.Added => "A",
                ChangeKind.Deleted => "D",
                _ => "C",
            };
            output.WriteLine($"{kind} /{Encoding.UTF8.GetString(change.Path)}");
        }
    }
}
