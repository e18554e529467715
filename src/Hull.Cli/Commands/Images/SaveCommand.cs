using System.CommandLine;
using Hull.Cli.Parsing;
using Hull.Oci.ImageSpec;

namespace Hull.Cli.Commands.Images;

/// <summary><c>hull save</c>: images as one archive.</summary>
internal static class SaveCommand
{
    public static HullCommand Create(CliContext context, string path)
    {
        Option<string?> output = Flags.Text("--output", "string", "Write to a file, instead of STDOUT", "-o");
        Option<string?> platform = Flags.Text("--platform", "string", "Save only the given platform variant");
        HullCommand command = new(path, "[OPTIONS] IMAGE [IMAGE...]", "Save one or more images to a tar archive (streamed to STDOUT by default)", 1)
        {
            AliasLine = "hull image save, hull save",
            Completion = ArgumentCompletion.Images,
        };
        command.Add(output);
        command.Add(platform);
        command.SetAction(result =>
        {
            Platform? wanted = PullCommand.ParsePlatform(result.TextOf(platform));
            ArchiveOutput.Write(context, result.TextOf(output), stream => context.Images.Save(command.Positional(result), stream, wanted));
            return 0;
        });
        return command;
    }
}
