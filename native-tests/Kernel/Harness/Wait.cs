using System.Diagnostics;

namespace Hull.Kernel.Tests.Harness;

/// <summary>Waiting for something that another process does.</summary>
public static class Wait
{
    /// <summary>Polls until the condition holds; fails the test with <paramref name="otherwise"/> after the time limit.</summary>
    public static void Until(Func<bool> condition, int seconds, Func<string> otherwise)
    {
        if (!For(condition, seconds))
        {
            Assert.Fail($"after {seconds * Machine.TimeScale} s: {otherwise()}");
        }
    }

    /// <summary>Polls until the condition holds; false when it does not within the time limit.</summary>
    public static bool For(Func<bool> condition, int seconds)
    {
        Stopwatch watch = Stopwatch.StartNew();
        while (!condition())
        {
            if (watch.Elapsed > TimeSpan.FromSeconds(seconds * Machine.TimeScale))
            {
                return false;
            }

            Thread.Sleep(20);
        }

        return true;
    }
}
