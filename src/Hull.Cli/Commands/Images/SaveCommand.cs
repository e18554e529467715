using System.CommandLine;
using Hull.Cli.Parsing;
using Hull.Engine;

namespace Hull.Cli.Commands.Images;

/// <summary><c>hull save</c>: images as one archive.</summary>
internal static class SaveCommand
{
    public static HullCommand Create(CliContext context, string path)
    {
        Option<string?> output = Flags.Text("--output", "string", "Write to a file, instead of STDOUT", "-o");
        Option<string?> platform = Flags.Text("--platform", "string", "Save only the given platform variant");
        platform.Hidden = true;
        HullCommand command = new(path, "[OPTIONS] IMAGE [IMAGE...]", "Save one or more images to a tar archive (streamed to STDOUT by default)", 1)
        {
            AliasLine = "hull image save, hull save",
            Completion = ArgumentCompletion.Images,
        };
        command.Add(output);
        command.Add(platform);
        command.SetAction(result =>
        {
            if (result.TextOf(platform) is not null)
            {
                throw new EngineException(EngineErrorKind.Unsupported, "--platform is not available yet: images are stored for one platform");
            }

            ArchiveOutput.Write(context, result.TextOf(output), stream => context.Images.Save(command.Positional(result), stream));
            return 0;
        });
        return command;
    }
}
