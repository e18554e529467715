using System.Text.Json;
using Hull.Cli.Runtime;

namespace Hull.Cli.Tests.Runtime;

/// <summary>The document against features-schema.json and features-linux.json of the runtime-spec: members and the words they may hold.</summary>
public sealed class RuntimeFeaturesTests
{
    private readonly JsonElement _document = JsonDocument.Parse(RuntimeFeaturesDocument.Text().ToArray()).RootElement;

    [Fact]
    public void Document_Members_AreTheSchemas()
    {
        Assert.Equal(
            ["annotations", "hooks", "linux", "mountOptions", "ociVersionMax", "ociVersionMin", "potentiallyUnsafeConfigAnnotations"],
            Members(_document));
        Assert.Equal(
            ["apparmor", "capabilities", "cgroup", "intelRdt", "mountExtensions", "namespaces", "netDevices", "seccomp", "selinux"],
            Members(_document.GetProperty("linux")));
        Assert.Equal(
            ["actions", "archs", "enabled", "knownFlags", "operators", "supportedFlags"], Members(_document.GetProperty("linux").GetProperty("seccomp")));
        Assert.Matches(@"^1\.\d+\.\d+$", _document.GetProperty("ociVersionMin").GetString());
        Assert.Matches(@"^1\.\d+\.\d+$", _document.GetProperty("ociVersionMax").GetString());
    }

    [Theory]
    [InlineData("hooks", "^(prestart|createRuntime|createContainer|startContainer|poststart|poststop)$", 0)]
    [InlineData("mountOptions", "^[A-Za-z-]+$", 60)]
    [InlineData("linux.namespaces", "^(mount|pid|network|uts|ipc|user|cgroup|time)$", 7)]
    [InlineData("linux.capabilities", "^CAP_[A-Z_]+$", 41)]
    [InlineData("linux.seccomp.actions", "^SCMP_ACT_(ALLOW|ERRNO|KILL|KILL_PROCESS|KILL_THREAD|LOG|NOTIFY|TRACE|TRAP)$", 8)]
    [InlineData("linux.seccomp.operators", "^SCMP_CMP_(NE|LT|LE|EQ|GE|GT|MASKED_EQ)$", 7)]
    [InlineData("linux.seccomp.archs", "^SCMP_ARCH_[A-Z0-9_]+$", 20)]
    [InlineData("linux.seccomp.knownFlags", "^SECCOMP_FILTER_FLAG_(TSYNC|LOG|SPEC_ALLOW|WAIT_KILLABLE_RECV)$", 4)]
    public void Document_Lists_HoldTheSchemasWords(string path, string word, int fewest)
    {
        JsonElement list = path.Split('.').Aggregate(_document, (element, name) => element.GetProperty(name));
        string[] words = [.. list.EnumerateArray().Select(element => element.GetString()!)];

        Assert.All(words, one => Assert.Matches(word, one));
        Assert.Equal(words.Distinct(), words);
        Assert.True(words.Length >= fewest, $"{path} has {words.Length} words");
    }

    private static string[] Members(JsonElement element) => [.. element.EnumerateObject().Select(member => member.Name).Order(StringComparer.Ordinal)];
}
