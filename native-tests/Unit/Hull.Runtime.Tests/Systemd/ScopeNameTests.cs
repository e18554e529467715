using Hull.Runtime.Cgroups;
using Hull.Runtime.Systemd;

namespace Hull.Runtime.Tests.Systemd;

public sealed class ScopeNameTests
{
    [Theory]
    [InlineData("system.slice:runc:web", "/system.slice/runc-web.scope")]
    [InlineData("machine.slice:libpod:ab12", "/machine.slice/libpod-ab12.scope")]
    [InlineData("kubepods-besteffort-pod1.slice:cri-containerd:x", "/kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-pod1.slice/cri-containerd-x.scope")]
    [InlineData("-.slice:p:x", "/p-x.scope")]
    [InlineData("::x", "/system.slice/x.scope")]
    [InlineData("", "/system.slice/hull-web.scope")]
    [InlineData(null, "/system.slice/hull-web.scope")]
    public void Parse_Path_IsTheUnitsCgroup(string? path, string cgroup) => Assert.Equal(cgroup, ScopeName.Parse(path, "web").CgroupPath);

    [Theory]
    [InlineData("/hull/web", "slice:prefix:name")]
    [InlineData("a:b:c:d", "slice:prefix:name")]
    [InlineData("system:p:x", "not a slice")]
    [InlineData(".slice:p:x", "not a slice")]
    [InlineData("a-.slice:p:x", "not a slice")]
    [InlineData("../a.slice:p:x", "not a slice")]
    [InlineData("a.slice:p:", "not the name of a scope")]
    [InlineData("a.slice:p:x/y", "not the name of a scope")]
    [InlineData("a.slice:p:x.slice", "not the name of a scope")]
    public void Parse_AnotherForm_IsRefused(string path, string message) =>
        Assert.Contains(message, Assert.Throws<CgroupException>(() => ScopeName.Parse(path, "web")).Message, StringComparison.Ordinal);
}
