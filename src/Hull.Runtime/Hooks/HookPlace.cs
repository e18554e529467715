using System.Text;
using Hull.Oci.RuntimeSpec;

namespace Hull.Runtime.Hooks;

/// <summary>Which hook of a config.json: what an error names.</summary>
/// <param name="Stage">The list's name in the document, <c>createContainer</c>.</param>
/// <param name="Number">Its place in that list, from 0.</param>
internal sealed record HookPlace(string Stage, int Number, Hook Hook)
{
    /// <summary>How many bytes of a failed hook's output are looked at.</summary>
    public const int TailBytes = 2048;

    private const int TailLines = 3;

    /// <summary>One line: which hook, how it ended, and the last lines of what it wrote.</summary>
    public string Describe(HookOutcome outcome, ReadOnlySpan<byte> output)
    {
        string timeout = outcome == HookOutcome.TimedOut ? $" ({Hook.Timeout} s)" : "";
        string[] lines = Encoding.UTF8.GetString(output).Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        string said = string.Join(" / ", lines.TakeLast(TailLines).Select(Printable));
        return $"hooks.{Stage}[{Number}] {Hook.Path}: {outcome}{timeout}{(said.Length == 0 ? "" : $": {said}")}";
    }

    public ContainerException Failure(HookOutcome outcome, ReadOnlySpan<byte> output) => new(ContainerFault.Engine, Describe(outcome, output));

    /// <summary>A startContainer hook's words are the image's: no control character of theirs reaches a terminal.</summary>
    private static string Printable(string line) => string.Concat(line.Select(static c => char.IsControl(c) ? '?' : c));
}
