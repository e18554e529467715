using System.CommandLine;
using Hull.Cli.Parsing;
using Hull.Engine;
using Hull.Linux;

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
        command.SetAction(result => result.TextOf(platform) is null
            ? Run(context, command.Positional(result), result.TextOf(output))
            : throw new EngineException(EngineErrorKind.Unsupported, "--platform is not available yet: images are stored for one platform"));
        return command;
    }

    private static int Run(CliContext context, string[] names, string? output)
    {
        if (output is null && Terminals.IsTerminal(context.StandardOutput))
        {
            throw EngineException.Invalid("cowardly refusing to save to a terminal. Use the -o flag or redirect");
        }

        CliContext.RequireRoot();
        if (output is null)
        {
            using FileStream stdout = new(context.StandardOutput, FileAccess.Write, bufferSize: 0);
            context.Images.Save(names, stdout);
            return 0;
        }

        // Beside its place and renamed, so that a failure leaves no half archive and an old one whole.
        string temporary = $"{output}.new-{Environment.ProcessId}";
        try
        {
            using (FileStream file = new(temporary, FileMode.Create, FileAccess.Write))
            {
                context.Images.Save(names, file);
            }

            File.Move(temporary, output, overwrite: true);
        }
        catch
        {
            File.Delete(temporary);
            throw;
        }

        return 0;
    }
}
