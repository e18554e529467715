namespace Hull.Images.Registry;

/// <summary>How often and how soon to ask again after a failure that may pass.</summary>
/// <param name="Attempts">Consecutive attempts without progress, the first one included.</param>
/// <param name="FirstDelay">The wait before the second attempt; it doubles each time, up to 32 times of it.</param>
internal sealed record RetryPolicy(int Attempts, TimeSpan FirstDelay)
{
    private const int MaximumDoublings = 5;

    /// <summary>As many attempts as the settings say, 1, 2, 4 and 8 seconds apart.</summary>
    public static RetryPolicy Of(RegistrySettings settings) => new(settings.Attempts, TimeSpan.FromSeconds(1));

    /// <summary>The longest wait a rate-limiting server may ask of us before the pull fails instead.</summary>
    public TimeSpan LongestWait { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>The wait after the given number of failures.</summary>
    public TimeSpan After(int failures) => FirstDelay * Math.Pow(2, Math.Clamp(failures - 1, 0, MaximumDoublings));
}
