using Hull.Kernel.Tests.Harness;

namespace Hull.Kernel.Tests.Networking;

/// <summary>What is said of input that cannot be.</summary>
internal static class BadInput
{
    /// <summary>This exit code, one clear line of error and, where the command has one, docker's line of where help is.</summary>
    public static void IsOneLine(RunResult result, int exitCode, params string[] fragments)
    {
        string[] lines = [.. result.Fails(exitCode, fragments).Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Where(line => !line.StartsWith("See 'hull", StringComparison.Ordinal) && !line.StartsWith("Run 'hull", StringComparison.Ordinal))];
        Assert.True(lines.Length == 1, $"{lines.Length} lines:\n{result.Stderr}");
        Assert.Equal("", result.Stdout);
    }
}
