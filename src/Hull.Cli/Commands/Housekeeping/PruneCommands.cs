using System.CommandLine;
using Hull.Cli.Output;
using Hull.Cli.Parsing;
using Hull.Engine;
using Hull.Engine.Volumes;
using Hull.Images;

namespace Hull.Cli.Commands;

/// <summary><c>container prune</c>, <c>image prune</c> and <c>volume prune</c>: removing what is not used, in bulk.</summary>
internal static class PruneCommands
{
    public static HullCommand CreateContainer(CliContext context) => Create(
        context, "container prune", "Remove all stopped containers", all: null, ["until", "label", "label!"],
        _ => "WARNING! This will remove all stopped containers.",
        (filter, _) => Containers(context, filter));

    public static HullCommand CreateImage(CliContext context) => Create(
        context, "image prune", "Remove unused images", "Remove all unused images, not just dangling ones", ["until", "label", "label!", "dangling"],
        all => all
            ? "WARNING! This will remove all images without at least one container associated to them."
            : "WARNING! This will remove all dangling images.",
        (filter, all) => Images(context, filter, all));

    public static HullCommand CreateVolume(CliContext context) => Create(
        context, "volume prune", "Remove unused local volumes", "Remove all unused volumes, not just anonymous ones", ["label", "label!", "all"],
        all => all
            ? "WARNING! This will remove all local volumes not used by at least one container."
            : "WARNING! This will remove anonymous local volumes not used by at least one container.",
        (filter, all) => Volumes(context, filter, all));

    /// <returns>Bytes freed.</returns>
    public static long Containers(CliContext context, PruneFilter filter) => Write(
        context, "Deleted Containers:", context.Engine.PruneContainers(status => filter.Matches(status.Created, status.Labels, context.Now)));

    /// <param name="all">Also images with a name.</param>
    /// <returns>Bytes freed.</returns>
    public static long Images(CliContext context, PruneFilter filter, bool all)
    {
        bool tagged = all || filter["dangling"] is "false" or "0";
        PruneResult result = context.Engine.PruneImages(
            image => (tagged || image.RepoTags.Count == 0) && filter.Matches(image.Created, image.Config.Defaults?.Labels, context.Now));
        return Write(context, "Deleted Images:", new Pruned(
            [.. result.Removed.Select(static item => item.Untagged is { } name ? $"untagged: {name}" : $"deleted: {item.Deleted}")], result.Bytes));
    }

    /// <param name="all">Also volumes with a name of the user's.</param>
    /// <returns>Bytes freed.</returns>
    public static long Volumes(CliContext context, PruneFilter filter, bool all)
    {
        bool named = all || filter["all"] is "true" or "1";
        return Write(context, "Deleted Volumes:", context.Engine.PruneVolumes(
            (VolumeRecord volume) => (named || volume.Anonymous) && filter.Matches(volume.Created, volume.Labels, context.Now)));
    }

    public static void WriteTotal(CliContext context, long bytes) =>
        context.Output.WriteLine($"Total reclaimed space: {Units.HumanSize(bytes)}");

    private static HullCommand Create(
        CliContext context, string path, string summary, string? all, string[] keys, Func<bool, string> warning, Func<PruneFilter, bool, long> prune)
    {
        Option<bool?> everything = Flags.Switch("--all", all ?? "", "-a");
        Option<string[]?> filter = Flags.List("--filter", $"Provide filter values (e.g. \"{keys[0]}=...\")", type: "filter");
        Option<bool?> force = Flags.Switch("--force", "Do not prompt for confirmation", "-f");
        HullCommand command = new(path, "[OPTIONS]", summary, 0, 0);
        if (all is not null)
        {
            command.Add(everything);
        }

        command.Add(filter);
        command.Add(force);
        command.SetAction(result =>
        {
            string[] filters = result.ListOf(filter) ?? [];
            PruneFilter wanted = Flags.Convert(string.Join(',', filters), filter, _ => PruneFilter.Parse(filters, context.Now, keys));
            bool whole = all is not null && result.IsOn(everything);
            CliContext.RequireRoot();
            if (!result.IsOn(force) && !Confirmation.Ask(context, warning(whole)))
            {
                return 1;
            }

            WriteTotal(context, prune(wanted, whole));
            return 0;
        });
        return command;
    }

    private static long Write(CliContext context, string heading, Pruned pruned)
    {
        if (pruned.Names.Count > 0)
        {
            context.Output.WriteLine(heading);
            foreach (string name in pruned.Names)
            {
                context.Output.WriteLine(name);
            }

            context.Output.WriteLine();
        }

        return pruned.Bytes;
    }
}
