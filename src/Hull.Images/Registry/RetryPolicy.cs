namespace Hull.Images.Registry;

/// <summary>How often and how soon to ask again after a failure that may pass.</summary>
/// <param name="Attempts">Consecutive attempts without progress, the first one included.</param>
/// <param name="FirstDelay">The wait before the second attempt; it doubles each time.</param>
internal sealed record RetryPolicy(int Attempts, TimeSpan FirstDelay)
{
    /// <summary>Five attempts, as docker makes; 1, 2, 4 and 8 seconds apart.</summary>
    public static readonly RetryPolicy Default = new(5, TimeSpan.FromSeconds(1));

    /// <summary>The longest wait a rate-limiting server may ask of us before the pull fails instead.</summary>
    public TimeSpan LongestWait { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>The wait after the given number of failures.</summary>
    public TimeSpan After(int failures) => FirstDelay * Math.Pow(2, Math.Max(0, failures - 1));
}
