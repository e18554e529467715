using Hull.Networking.Host;

namespace Hull.Networking.Tests;

public sealed class ParentLinkTests
{
    [Theory]
    [InlineData("eth0.100", "eth0", 100)]
    [InlineData("eth0.1", "eth0", 1)]
    [InlineData("bond0.7.4094", "bond0.7", 4094)]
    public void VlanOf_NameAndNumber(string name, string trunk, int id) => Assert.Equal((trunk, id), ParentLink.VlanOf(name));

    [Theory]
    [InlineData("eth0")]
    [InlineData("eth0.")]
    [InlineData(".100")]
    [InlineData("eth0.0")]
    [InlineData("eth0.4095")]
    [InlineData("eth0.x")]
    [InlineData("eth0.-1")]
    [InlineData("eth0.99999999999")]
    public void VlanOf_AnotherName_IsNone(string name) => Assert.Null(ParentLink.VlanOf(name));
}
