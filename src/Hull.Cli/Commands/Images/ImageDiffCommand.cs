using Hull.Cli.Parsing;
using Hull.Images;

namespace Hull.Cli.Commands.Images;

/// <summary><c>hull image diff</c>: which files two images do not have in common.</summary>
internal static class ImageDiffCommand
{
    public static HullCommand Create(CliContext context)
    {
        HullCommand command = new("image diff", "IMAGE IMAGE", "List the files that were added (A), changed (C) and removed (D) between two images", 2, 2)
        {
            Completion = ArgumentCompletion.Images,
        };
        command.SetAction(result =>
        {
            CliContext.RequireRoot();
            string[] names = command.Positional(result);
            ImageStore images = context.Images;
            DiffCommand.Write(context.Output, images.Compare(images.Find(names[0]).Required(), images.Find(names[1]).Required()));
            return 0;
        });
        return command;
    }
}
