using System.CommandLine;
using Hull.Cli.Parsing;
using Hull.Engine;
using Hull.Images;
using Hull.Images.Registry;
using Hull.Linux;
using Hull.Oci;
using Hull.Oci.ImageSpec;

namespace Hull.Cli.Commands.Images;

/// <summary><c>hull load</c>: images from an archive or a layout directory.</summary>
internal static class LoadCommand
{
    public static HullCommand Create(CliContext context, string path)
    {
        Option<string?> input = Flags.Text("--input", "string", "Read from tar archive file, instead of STDIN", "-i");
        Option<string?> platform = Flags.Text("--platform", "string", "Load only the given platform variant");
        Option<bool?> quiet = Flags.Switch("--quiet", "Suppress the load output", "-q");
        HullCommand command = new(path, "[OPTIONS]", "Load an image from a tar archive or STDIN", 0, 0)
        {
            AliasLine = "hull image load, hull load",
        };
        command.Add(input);
        command.Add(platform);
        command.Add(quiet);
        command.SetAction(result => Run(
            context, result.TextOf(input), PullCommand.ParsePlatform(result.TextOf(platform)), result.IsOn(quiet)));
        return command;
    }

    private static int Run(CliContext context, string? input, Platform? platform, bool quiet)
    {
        if (input is null && Terminals.IsTerminal(context.StandardInput))
        {
            throw EngineException.Invalid("requested load from stdin, but stdin is empty: name a file with -i, or redirect one");
        }

        CliContext.RequireRoot();
        ImageStore images = context.Images;
        // As docker: bars on a terminal, nothing but the names elsewhere.
        bool bars = !quiet && Terminals.IsTerminal(context.StandardOutput);
        ITransferProgress progress = TransferOutput.OfCommand(context, !bars, ProgressMode.Auto).Progress();
        LoadResult result;
        if (input is null or "-")
        {
            using FileStream stdin = new(context.StandardInput, FileAccess.Read, bufferSize: 0);
            result = images.Load(stdin, platform, progress);
        }
        else
        {
            result = images.Load(input, platform, progress);
        }

        foreach (string note in result.Notes)
        {
            context.Error.WriteLine("hull: " + note);
        }

        foreach (LoadedImage loaded in quiet ? [] : result.Images)
        {
            foreach (ImageReference reference in loaded.References)
            {
                context.Output.WriteLine($"Loaded image: {reference.Familiar}");
            }

            if (loaded.References.Count == 0)
            {
                context.Output.WriteLine($"Loaded image ID: {loaded.Image.Id}");
            }
        }

        return 0;
    }
}
