using System.CommandLine;
using Hull.Cli.Parsing;
using Hull.Images.Checking;

namespace Hull.Cli.Commands;

/// <summary><c>hull system check</c>: whether the store is whole.</summary>
internal static class SystemCheckCommand
{
    public static HullCommand Create(CliContext context)
    {
        Option<bool?> repair = Flags.Switch("--repair", "Mend what can be mended");
        HullCommand command = new("system check", "[OPTIONS]", "Read everything in the store and name what is damaged", 0, 0);
        command.Add(repair);
        command.SetAction(result => Run(context, result.IsOn(repair)));
        return command;
    }

    /// <returns>1 where damage stays.</returns>
    private static int Run(CliContext context, bool repair)
    {
        CliContext.RequireRoot();
        IReadOnlyList<Damage> found = context.Engine.Check(out string extent);
        int left = 0;
        foreach (Damage damage in found)
        {
            bool mended = repair && damage.Mend is { } mend && mend();
            left += mended ? 0 : 1;
            string advice = !repair && damage.Mend is not null ? "hull system check --repair" : damage.Advice;
            context.Output.WriteLine(mended ? $"mended: {damage.What}" : $"damage: {damage.What} ({advice})");
        }

        context.Output.WriteLine(found.Count == 0
            ? $"no damage: {extent}"
            : $"{found.Count} found, {found.Count - left} mended: {extent}");
        return left == 0 ? 0 : 1;
    }
}
