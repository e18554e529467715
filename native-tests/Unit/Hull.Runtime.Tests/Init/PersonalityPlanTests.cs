using Hull.Oci.RuntimeSpec;
using Hull.Runtime.Init;

namespace Hull.Runtime.Tests.Init;

public sealed class PersonalityPlanTests
{
    [Theory]
    [InlineData("LINUX")]
    [InlineData("LINUX32")]
    public void Add_Domain_IsOneCall(string domain)
    {
        using InitPlan plan = new();

        PersonalityPlan.Add(plan, new Personality { Domain = domain });

        Assert.Equal($"personality({domain})", plan.Steps.Single().ToString());
    }

    [Fact]
    public void Add_Flags_AreRefused()
    {
        using InitPlan plan = new();

        Assert.Contains("'X' means nothing", Assert.Throws<ContainerException>(() =>
            PersonalityPlan.Add(plan, new Personality { Domain = "LINUX", Flags = ["X"] })).Message, StringComparison.Ordinal);
    }
}
