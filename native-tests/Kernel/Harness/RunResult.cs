namespace Hull.Kernel.Tests.Harness;

/// <summary>What a finished program left: its exit code and its two streams.</summary>
public sealed record RunResult(int ExitCode, string Stdout, string Stderr, TimeSpan Elapsed)
{
    /// <summary>Asserts success and returns standard output without its last line end.</summary>
    public string Ok()
    {
        Assert.True(ExitCode == 0, $"exit code {ExitCode}\nstdout: {Stdout}\nstderr: {Stderr}");
        return Stdout.TrimEnd('\n');
    }

    /// <summary>Asserts this exit code and an error text that holds each of the fragments and no stack trace.</summary>
    public string Fails(int exitCode, params string[] fragments)
    {
        Assert.True(ExitCode == exitCode, $"exit code {ExitCode}, expected {exitCode}\nstdout: {Stdout}\nstderr: {Stderr}");
        foreach (string fragment in fragments)
        {
            Assert.Contains(fragment, Stderr, StringComparison.Ordinal);
        }

        Assert.DoesNotContain("   at ", Stderr, StringComparison.Ordinal);
        Assert.DoesNotContain("Unhandled exception", Stderr, StringComparison.Ordinal);
        return Stderr;
    }
}
