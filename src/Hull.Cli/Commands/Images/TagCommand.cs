using Hull.Cli.Parsing;
using Hull.Engine;
using Hull.Images;
using Hull.Oci;

namespace Hull.Cli.Commands.Images;

/// <summary><c>hull tag</c>: a further name for an image.</summary>
internal static class TagCommand
{
    public static HullCommand Create(CliContext context, string path)
    {
        HullCommand command = new(path, "SOURCE_IMAGE[:TAG] TARGET_IMAGE[:TAG]", "Create a tag TARGET_IMAGE that refers to SOURCE_IMAGE", 2, 2)
        {
            AliasLine = "hull image tag, hull tag",
            Completion = ArgumentCompletion.Images,
        };
        command.SetAction(result => Run(context, command.Positional(result)));
        return command;
    }

    private static int Run(CliContext context, string[] names)
    {
        ImageReference target = ImageReference.TryParse(names[1], out ImageReference? parsed, out string? problem)
            ? parsed
            : throw EngineException.Invalid($"\"{names[1]}\" is not a valid repository/tag: {problem}");
        CliContext.RequireRoot();
        ImageStore images = context.Images;
        images.Tag(images.Find(names[0]).Required(), target);
        return 0;
    }
}
