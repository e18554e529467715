using System.CommandLine;
using Hull.Cli.Parsing;
using Hull.Engine;
using Hull.Engine.Containers;

namespace Hull.Cli.Commands.Volumes;

/// <summary><c>hull volume create</c>: one that is there already is as good as made.</summary>
internal static class VolumeCreateCommand
{
    public static HullCommand Create(CliContext context)
    {
        Option<string?> driver = Flags.Text("--driver", "string", "Specify volume driver name (default \"local\")", "-d");
        Option<string[]?> label = Flags.List("--label", "Set metadata for a volume");
        Option<string[]?> option = Flags.List("--opt", "Set driver specific options", "-o", "map");
        HullCommand command = new("volume create", "[OPTIONS] [VOLUME]", "Create a volume", 0, 1);
        foreach (Option one in (ReadOnlySpan<Option>)[driver, label, option])
        {
            command.Add(one);
        }

        command.SetAction(result =>
        {
            EngineException.ThrowUnsupportedIf(result.TextOf(driver) is not null and not "local", $"volume driver \"{result.TextOf(driver)}\": hull has local volumes alone");
            EngineException.ThrowUnsupportedIf(
                result.ListOf(option) is not null,
                "--opt: local volumes have no options (for a directory of the host or a tmpfs: hull run --mount type=bind or --mount type=tmpfs)");
            CliContext.RequireRoot();
            string[] names = command.Positional(result);
            string name = names.Length > 0 ? names[0] : ContainerId.New().Hex;
            context.Engine.Volumes.Ensure(name, anonymous: names.Length == 0, KeyValues.Labels(null, result.ListOf(label)));
            context.Output.WriteLine(name);
            return 0;
        });
        return command;
    }
}
