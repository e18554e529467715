using System.CommandLine;
using Hull.Cli.Parsing;
using Hull.Engine;
using Hull.Images;
using Hull.Images.Registry;
using Hull.Linux;
using Hull.Oci;
using Hull.Oci.ImageSpec;

namespace Hull.Cli.Commands.Images;

/// <summary>Where the course of a pull is shown.</summary>
internal enum PullOutput
{
    None,

    /// <summary>With the reference as the last line: <c>hull pull</c>.</summary>
    Output,

    /// <summary>Beside the data: <c>hull run</c> of an image that is not there.</summary>
    Error,
}

/// <summary><c>hull pull</c>.</summary>
internal static class PullCommand
{
    public static HullCommand Create(CliContext context, string path)
    {
        Option<bool?> all = Flags.Switch("--all-tags", "Download all tagged images in the repository", "-a");
        Option<bool?> trust = Flags.Switch("--disable-content-trust", "Skip image verification (default true)");
        Option<string?> platform = Flags.Text("--platform", "string", "Set platform if server is multi-platform capable");
        Option<bool?> quiet = Flags.Switch("--quiet", "Suppress verbose output", "-q");
        all.Hidden = true;
        trust.Hidden = true;
        HullCommand command = new(path, "[OPTIONS] NAME[:TAG|@DIGEST]", "Download an image from a registry", 1, 1)
        {
            AliasLine = "hull image pull, hull pull",
        };
        foreach (Option option in (ReadOnlySpan<Option>)[all, trust, platform, quiet])
        {
            command.Add(option);
        }

        command.SetAction(result =>
        {
            if (result.IsOn(all))
            {
                throw new EngineException(EngineErrorKind.Unsupported, "--all-tags is not available yet: pull the tags one by one");
            }

            CliContext.RequireRoot();
            string name = command.Positional(result)[0];
            if (ImageReference.TryParse(name, out ImageReference? reference) && reference.Digest is null
                && !name.EndsWith(":" + ImageReference.DefaultTag, StringComparison.Ordinal) && reference.Tag == ImageReference.DefaultTag
                && !result.IsOn(quiet))
            {
                context.Output.WriteLine("Using default tag: latest");
            }

            context.Output.WriteLine(Pull(
                context, name, result.TextOf(platform), result.IsOn(quiet) ? PullOutput.None : PullOutput.Output));
            return 0;
        });
        return command;
    }

    /// <summary>Fetches an image and returns its full name.</summary>
    /// <param name="platform"><c>os[/arch[/variant]]</c>; null for the host's.</param>
    public static string Pull(CliContext context, string name, string? platform, PullOutput shown)
    {
        ImageReference reference = ImageReference.TryParse(name, out ImageReference? parsed, out string? problem)
            ? parsed
            : throw EngineException.Invalid(problem!);
        ImagePuller puller = new(context.Images, RegistrySettings.Load());
        TextWriter writer = shown == PullOutput.Output ? context.Output : context.Error;
        Microsoft.Win32.SafeHandles.SafeFileHandle stream = shown == PullOutput.Output ? context.StandardOutput : context.StandardError;
        IPullProgress progress = shown == PullOutput.None ? new SilentPullProgress()
            : Terminals.IsTerminal(stream) ? new TerminalPullProgress(writer, () => Terminals.TryGetSize(stream)?.Columns ?? 80)
            : new PlainPullProgress(writer);
        PullResult result = puller.PullAsync(reference, ParsePlatform(platform), progress).GetAwaiter().GetResult();
        return result.Reference.ToString();
    }

    internal static Platform? ParsePlatform(string? text)
    {
        if (text is null)
        {
            return null;
        }

        try
        {
            return PlatformMatch.Parse(text);
        }
        catch (FormatException e)
        {
            throw EngineException.Invalid(e.Message);
        }
    }
}
