using System.CommandLine;
using Hull.Cli.Parsing;
using Hull.Engine;
using Hull.Images;
using Hull.Images.Registry;
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
        HullCommand command = new(path, "[OPTIONS] file|URL|- [REPOSITORY[:TAG]]", "Import the contents from a tarball to create a filesystem image", 1, 2)
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

        CliContext.RequireRoot();
        Uri? url = UrlOf(names[0]);
        string source = url is null ? names[0] : UrlStream.NameOf(url);
        using Stream tar = url is not null ? Download(context, url)
            : names[0] == "-" ? new FileStream(context.StandardInput, FileAccess.Read, bufferSize: 0)
            : Open(names[0]);
        Image image = context.Images.Import(tar, reference, message ?? $"Imported from {source}", defaults, platform);
        context.Output.WriteLine(image.Id.ToString());
        return 0;
    }

    /// <summary>The argument as a URL; null for a file's name.</summary>
    private static Uri? UrlOf(string argument) =>
        !argument.Contains("://", StringComparison.Ordinal) ? null
        : Uri.TryCreate(argument, UriKind.Absolute, out Uri? url) && UrlStream.Handles(url) ? url
        : throw EngineException.Invalid($"import {argument}: expected a file, - for standard input, or a URL that begins with http:// or https://");

    private static UrlStream Download(CliContext context, Uri url)
    {
        ITransferProgress progress = TransferOutput.BesideData(context, quiet: false).Progress();
        progress.Message($"Downloading from {UrlStream.NameOf(url)}");
        string name = url.Segments[^1].Trim('/') is { Length: > 0 } file ? file : url.Host;
        UrlStream? stream = null;
        return stream = UrlStream.Open(
            url,
            RegistrySettings.Load(),
            received => progress.Layer(new LayerProgress(name, TransferPhase.Downloading, received, stream?.Total ?? 0)));
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
