using System.CommandLine;
using System.Globalization;
using Hull.Cli.Output;
using Hull.Cli.Parsing;
using Hull.Engine;
using Hull.Images;

namespace Hull.Cli.Commands;

/// <summary><c>hull system gc</c>: removes what nothing needs and, where a policy says so, images that nothing uses.</summary>
internal static class GarbageCommand
{
    public static HullCommand Create(CliContext context)
    {
        Option<bool?> dry = Flags.Switch("--dry-run", "Only tell what would be removed");
        Option<string?> threshold = Flags.Text(
            "--disk-threshold", "percent", "Remove unused images, the longest in the store first, while the disk is at least so full (default: image-gc.disk-threshold of /etc/hull/config.json)");
        Option<string?> age = Flags.Text(
            "--min-age", "duration", "Remove only unused images that have been in the store so long (default: image-gc.min-age of /etc/hull/config.json)");
        HullCommand command = new("system gc", "[OPTIONS]", "Remove layers and blobs that neither an image nor a container has", 0, 0);
        command.Add(age);
        command.Add(threshold);
        command.Add(dry);
        command.SetAction(result =>
        {
            CliContext.RequireRoot();
            GarbageSettings settings = GarbageSettings.Load();
            GarbagePolicy policy = new(
                Read(result, threshold, settings.DiskThreshold, Percent),
                Read(result, age, settings.MinAge, Age));
            return Run(context, policy, result.IsOn(dry));
        });
        return command;
    }

    /// <summary>A share of the disk: <c>80%</c>.</summary>
    /// <exception cref="FormatException">Not from 1% to 100%.</exception>
    internal static double Percent(string text) =>
        int.TryParse(text.TrimEnd('%'), NumberStyles.None, CultureInfo.InvariantCulture, out int percent) && percent is > 0 and <= 100
            ? percent / 100.0
            : throw new FormatException("expected a share of the disk from 1% to 100%");

    /// <exception cref="FormatException">No duration.</exception>
    internal static TimeSpan Age(string text) =>
        Quantity.TryParseDuration(text, out TimeSpan duration) && duration >= TimeSpan.Zero
            ? duration
            : throw new FormatException("expected a duration such as 168h");

    private static T? Read<T>(ParseResult result, Option<string?> flag, string? setting, Func<string, T> parse)
        where T : struct
    {
        if (result.TextOf(flag) is { } text)
        {
            return Flags.Convert(text, flag, parse);
        }

        try
        {
            return setting is null ? null : parse(setting);
        }
        catch (FormatException e)
        {
            throw EngineException.Invalid($"hull's configuration: image-gc: '{setting}': {e.Message}", e);
        }
    }

    private static int Run(CliContext context, GarbagePolicy policy, bool dryRun)
    {
        Collected collected = context.Engine.Collect(policy, dryRun);
        string verb = dryRun ? "would be removed" : "removed";
        foreach (string image in collected.Images)
        {
            context.Output.WriteLine($"image {image}: {verb}");
        }

        context.Output.WriteLine($"{collected.Layers} layers and {collected.Blobs} blobs {verb}: {Units.HumanSize(collected.Bytes)}");
        return 0;
    }
}
