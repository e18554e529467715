using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Hull.Oci.RuntimeSpec;

namespace Hull.Oci.Tests;

public sealed class SpecReaderTests
{
    private static byte[] EveryMember => File.ReadAllBytes(Path.Combine(AppContext.BaseDirectory, "RuntimeSpec", "every-member.json"));

    /// <summary>The document sets every member of every record, so a member that the reader forgets shows.</summary>
    [Fact]
    public void ReadSpec_EveryMember_AsTheSerializerReadsIt()
    {
        Spec read = SpecReader.ReadSpec(EveryMember);
        Spec expected = JsonSerializer.Deserialize(EveryMember, RuntimeSpecJson.Default.Spec)!;

        Assert.Equal(JsonSerializer.Serialize(expected, RuntimeSpecJson.Default.Spec), JsonSerializer.Serialize(read, RuntimeSpecJson.Default.Spec));
        Assert.True(JsonNode.DeepEquals(JsonNode.Parse(EveryMember), JsonSerializer.SerializeToNode(read, RuntimeSpecJson.Default.Spec)));
    }

    [Fact]
    public void ReadSpec_NullsAndUnknownMembers_AreAsAbsent()
    {
        Spec read = SpecReader.ReadSpec("""{"ociVersion":"1.2.0","process":null,"linux":{"namespaces":null,"new":[1]},"vendor":{"x":1}}"""u8.ToArray());

        Assert.Equal(("1.2.0", null, null), (read.OciVersion, read.Process, read.Linux!.Namespaces));
    }

    [Theory]
    [InlineData("[]", "expected an object, found a list")]
    [InlineData("{}", "ociVersion is missing")]
    [InlineData("""{"ociVersion":1}""", "ociVersion: expected a text, found the number 1")]
    [InlineData("""{"ociVersion":"1","process":[]}""", "process: expected an object, found a list")]
    [InlineData("""{"ociVersion":"1","process":{"cwd":"/","args":"sh"}}""", "process.args: expected a list, found a text")]
    [InlineData("""{"ociVersion":"1","process":{"cwd":"/","args":["a",null]}}""", "process.args[1]: expected a text, found null")]
    [InlineData("""{"ociVersion":"1","process":{"cwd":"/","rlimits":[{"type":"a","soft":1,"hard":-1}]}}""", "process.rlimits[0].hard: expected a number from 0 to 18446744073709551615, found the number -1")]
    [InlineData("""{"ociVersion":"1","process":{"cwd":"/","user":{"uid":4294967296}}}""", "process.user.uid: expected a number from 0 to 4294967295, found the number 4294967296")]
    [InlineData("""{"ociVersion":"1","process":{"cwd":"/","oomScoreAdj":1e2}}""", "process.oomScoreAdj: expected a number from -2147483648 to 2147483647, found the number 1e2")]
    [InlineData("""{"ociVersion":"1","annotations":{"a":1}}""", "annotations.a: expected a text, found the number 1")]
    [InlineData("""{"ociVersion":"1","linux":{"resources":{"rdma":{"mlx":3}}}}""", "linux.resources.rdma.mlx: expected an object, found the number 3")]
    [InlineData("""{"ociVersion":"1","linux":{"seccomp":{"defaultAction":"A","syscalls":[{"action":"B"}]}}}""", "linux.seccomp.syscalls[0].names is missing")]
    public void ReadSpec_NotOfTheSchema_NamesThePlace(string json, string message) =>
        Assert.Equal(message, Assert.Throws<JsonException>(() => SpecReader.ReadSpec(Encoding.UTF8.GetBytes(json))).Message);

    [Theory]
    [InlineData("")]
    [InlineData("{")]
    [InlineData("{\"ociVersion\":\"1\"}x")]
    public void ReadSpec_NotJson_IsAJsonError(string json) =>
        Assert.ThrowsAny<JsonException>(() => SpecReader.ReadSpec(Encoding.UTF8.GetBytes(json)));

    [Fact]
    public void ReadProcess_OfTheDocument_IsItsProcess()
    {
        byte[] process = Encoding.UTF8.GetBytes(JsonNode.Parse(EveryMember)!["process"]!.ToJsonString());

        Assert.Equal(
            JsonSerializer.Serialize(SpecReader.ReadSpec(EveryMember).Process!, RuntimeSpecJson.Default.Process),
            JsonSerializer.Serialize(SpecReader.ReadProcess(process), RuntimeSpecJson.Default.Process));
    }
}
