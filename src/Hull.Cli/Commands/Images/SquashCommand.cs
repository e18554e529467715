using Hull.Cli.Parsing;
using Hull.Images;
using Hull.Oci;
using Hull.Oci.ImageSpec;

namespace Hull.Cli.Commands.Images;

/// <summary><c>hull image squash</c>: the same files in one layer.</summary>
internal static class SquashCommand
{
    public static HullCommand Create(CliContext context)
    {
        HullCommand command = new("image squash", "IMAGE [REPOSITORY[:TAG]]", "Make an image of one layer with the files of another", 1, 2)
        {
            Completion = ArgumentCompletion.Images,
        };
        command.SetAction(result =>
        {
            string[] names = command.Positional(result);
            ImageReference? reference = names.Length == 2 ? CommitCommand.Target(names[1]) : null;
            CliContext.RequireRoot();
            Image image = context.Images.Find(names[0]).Required();
            Image squashed = context.Images.Squash(image, new NewImage
            {
                Created = context.Now,
                Author = image.Config.Author,
                Comment = $"squashed from {image.Id.Short}",
                Defaults = image.Config.Defaults ?? new ImageDefaults(),
                Reference = reference,
            });
            context.Output.WriteLine(squashed.Id.ToString());
            return 0;
        });
        return command;
    }
}
