using Hull.Linux;

namespace Hull.Runtime.Tests;

public sealed class CapabilityChoiceTests
{
    private static readonly CapabilitySet Host = CapabilitySet.AllNamed - CapabilitySet.Of(["SYS_RESOURCE"]);

    [Fact]
    public void Resolve_NothingSaid_IsDockersFourteen()
    {
        // What /proc/self/status shows in a container of docker.
        Assert.Equal(0x00000000a80425fbUL, CapabilityChoice.Resolve([], [], privileged: false, Host).Bits);
        Assert.Equal(14, CapabilityChoice.Defaults.Count);
    }

    [Theory]
    [InlineData("NET_ADMIN", "", "defaults NET_ADMIN")]
    [InlineData("cap_net_admin", "CAP_CHOWN", "defaults NET_ADMIN -CHOWN")]
    [InlineData("", "ALL", "")]
    [InlineData("CHOWN,kill", "all", "CHOWN KILL")]
    [InlineData("ALL", "", "host")]
    [InlineData("ALL", "MKNOD", "host -MKNOD")]
    [InlineData("ALL,MKNOD", "MKNOD", "host -MKNOD")]
    [InlineData("ALL", "ALL", "host")]
    [InlineData("CHOWN", "CHOWN", "defaults")]
    [InlineData("CHOWN", "", "defaults")]
    public void Resolve_AddAndDrop_FollowsDocker(string add, string drop, string expected)
    {
        CapabilitySet set = default;
        foreach (string word in expected.Split(' ', StringSplitOptions.RemoveEmptyEntries))
        {
            set = word switch
            {
                "defaults" => CapabilityChoice.Defaults,
                "host" => Host,
                _ when word[0] == '-' => set - CapabilitySet.Of([word[1..]]),
                _ => set | CapabilitySet.Of([word]),
            };
        }

        Assert.Equal(set, CapabilityChoice.Resolve(Split(add), Split(drop), privileged: false, Host));
    }

    [Fact]
    public void Resolve_Privileged_IsWhatTheHostHas() =>
        Assert.Equal(Host, CapabilityChoice.Resolve([], ["ALL"], privileged: true, Host));

    [Theory]
    [InlineData("NET_ADMN", "--cap-add NET_ADMN: unknown capability (did you mean NET_ADMIN?)")]
    [InlineData("cap_sysadmin", "--cap-add cap_sysadmin: unknown capability (did you mean CAP_SYS_ADMIN?)")]
    [InlineData("SYS_RESOURCE", "--cap-add CAP_SYS_RESOURCE: this host does not have that capability to give (its bounding set is 000001fffeffffff)")]
    public void Resolve_NameThatCannotBeGiven_SaysWhy(string name, string message)
    {
        ArgumentException error = Assert.Throws<ArgumentException>(() => CapabilityChoice.Resolve([name], [], privileged: false, Host));

        Assert.StartsWith(message, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Resolve_UnknownDrop_NamesTheOption()
    {
        ArgumentException error = Assert.Throws<ArgumentException>(() => CapabilityChoice.Resolve([], ["CHOWNS"], privileged: true, Host));

        Assert.StartsWith("--cap-drop CHOWNS: unknown capability (did you mean CHOWN?)", error.Message, StringComparison.Ordinal);
    }

    private static string[] Split(string names) => names.Split(',', StringSplitOptions.RemoveEmptyEntries);
}
