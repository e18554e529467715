using Hull.Engine.Containers;
using Hull.Engine.Monitor;

namespace Hull.Engine.Tests.Monitor;

public sealed class RestartBackoffTests
{
    private static readonly TimeSpan Short = TimeSpan.FromSeconds(1);

    [Fact]
    public void After_ShortRuns_DoublesFrom100MillisecondsToAMinute()
    {
        RestartBackoff backoff = new(new RestartPolicy { Condition = RestartCondition.Always });

        double[] delays = [.. Enumerable.Range(0, 12).Select(_ => backoff.After(0, Short)!.Value.TotalMilliseconds)];

        Assert.Equal([100, 200, 400, 800, 1600, 3200, 6400, 12800, 25600, 51200, 60000, 60000], delays);
        Assert.Equal(12, backoff.Count);
    }

    [Fact]
    public void After_RunOfTenSeconds_StartsOver()
    {
        RestartBackoff backoff = new(new RestartPolicy { Condition = RestartCondition.UnlessStopped });
        backoff.After(1, Short);
        backoff.After(1, Short);

        Assert.Equal(TimeSpan.FromMilliseconds(100), backoff.After(1, TimeSpan.FromSeconds(10)));
        Assert.Equal(TimeSpan.FromMilliseconds(200), backoff.After(1, Short));
    }

    [Fact]
    public void After_OnFailure_EndsWithSuccessAndWithTheCount()
    {
        RestartBackoff backoff = new(new RestartPolicy { Condition = RestartCondition.OnFailure, MaximumRetryCount = 2 });

        Assert.Null(backoff.After(0, Short));
        Assert.NotNull(backoff.After(1, Short));
        Assert.NotNull(backoff.After(1, Short));
        Assert.Null(backoff.After(1, Short));
        Assert.Equal(2, backoff.Count);
    }

    [Fact]
    public void After_OnFailureWithoutCount_GoesOn()
    {
        RestartBackoff backoff = new(new RestartPolicy { Condition = RestartCondition.OnFailure });

        Assert.All(Enumerable.Range(0, 50), _ => Assert.NotNull(backoff.After(137, Short)));
    }

    [Fact]
    public void After_NoPolicy_Never()
    {
        Assert.Null(new RestartBackoff(null).After(1, Short));
        Assert.Null(new RestartBackoff(new RestartPolicy()).After(1, Short));
    }
}
