using System.CommandLine;
using Hull.Cli.Parsing;
using Hull.Engine;
using Hull.Images;
using Hull.Oci;
using Hull.Oci.ImageSpec;

namespace Hull.Cli.Commands.Images;

/// <summary><c>hull import</c>: an image of one layer from the tar of a file system.</summary>
internal static class ImportCommand
{
    public static HullCommand Create(CliContext context, string path)
    {
        Option<string[]?> change = Flags.List("--change", "Apply Dockerfile instruction to the created image", "-c");
        Option<string?> message = Flags.Text("--message", "string", "Set commit message for imported image", "-m");
        Option<string?> platform = Flags.Text("--platform", "string", "Set platform if server is multi-platform capable");
        HullCommand command = new(path, "[OPTIONS] file|- [REPOSITORY[:TAG]]", "Import the contents from a tarball to create a filesystem image", 1, 2)
        {
            AliasLine = "hull image import, hull import",
        };
        command.Add(change);
        command.Add(message);
        command.Add(platform);
        command.SetAction(result => Run(
            context,
            command.Positional(result),
            DefaultsChanges.Apply(result.ListOf(change) ?? [], new ImageDefaults()),
            result.TextOf(message),
            PullCommand.ParsePlatform(result.TextOf(platform))));
        return command;
    }

    private static int Run(CliContext context, string[] names, ImageDefaults defaults, string? message, Platform? platform)
    {
        ImageReference? reference = null;
        if (names.Length == 2 && !ImageReference.TryParse(names[1], out reference, out string? problem))
        {
            throw EngineException.Invalid(problem);
        }

        if (names[0].Contains("://", StringComparison.Ordinal))
        {
            throw EngineException.Unsupported("import from a URL is not available: download the file, then import it");
        }

        CliContext.RequireRoot();
        using FileStream tar = names[0] == "-"
            ? new FileStream(context.StandardInput, FileAccess.Read, bufferSize: 0)
            : Open(names[0]);
        Image image = context.Images.Import(tar, reference, message ?? $"Imported from {names[0]}", defaults, platform);
        context.Output.WriteLine(image.Id.ToString());
        return 0;
    }

    private static FileStream Open(string path)
    {
        try
        {
            return new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0);
        }
        catch (Exception exception) when (exception is FileNotFoundException or DirectoryNotFoundException)
        {
            throw EngineException.Invalid($"open {path}: no such file or directory", exception);
        }
    }
}
