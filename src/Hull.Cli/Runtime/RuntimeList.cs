using System.Globalization;
using System.Text;
using Hull.Runtime.Bundles;

namespace Hull.Cli.Runtime;

/// <summary><c>hull runtime list</c>.</summary>
internal static class RuntimeList
{
    public static void Write(BundleRuntime runtime, RuntimeArguments parsed)
    {
        StringBuilder text = new();
        if (!parsed.Has("--quiet"))
        {
            text.AppendLine("ID\tPID\tSTATUS\tBUNDLE\tCREATED");
        }

        foreach ((ContainerState state, string status) in runtime.List())
        {
            text.AppendLine(parsed.Has("--quiet")
                ? state.Id
                : string.Create(CultureInfo.InvariantCulture, $"{state.Id}\t{(status == "stopped" ? 0 : state.Pid)}\t{status}\t{state.Bundle}\t{state.Created:O}"));
        }

        RuntimeCommand.Write(1, text.ToString());
    }
}
