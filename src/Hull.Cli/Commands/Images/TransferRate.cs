using System.Diagnostics;

namespace Hull.Cli.Commands.Images;

/// <summary>How fast bytes move: the mean since the beginning, in which a short stall does not make the time left jump.</summary>
internal sealed class TransferRate(long begin)
{
    /// <summary>Before this the figures say nothing.</summary>
    private static readonly TimeSpan Least = TimeSpan.FromMilliseconds(500);

    private readonly long _started = Stopwatch.GetTimestamp();

    /// <summary>Bytes a second; 0 while that cannot be told.</summary>
    public double At(long current)
    {
        TimeSpan elapsed = Stopwatch.GetElapsedTime(_started);
        return elapsed < Least || current <= begin ? 0 : (current - begin) / elapsed.TotalSeconds;
    }
}
