using Hull.Cli.Commands;
using Hull.Cli.Output;
using Hull.Engine.Containers;
using Hull.Oci;

namespace Hull.Cli.Tests.Commands;

public class ContainerRowTests
{
    private static readonly DateTimeOffset Now = DateTimeOffset.Parse("2024-06-01T12:00:00Z", null);
    private static readonly ContainerId Id = ContainerId.Parse(new string('a', 12) + new string('0', 52));

    [Theory]
    [InlineData(ContainerState.Created, 0, "Created")]
    [InlineData(ContainerState.Running, 0, "Up 5 minutes")]
    [InlineData(ContainerState.Paused, 0, "Up 5 minutes (Paused)")]
    [InlineData(ContainerState.Restarting, 3, "Restarting (3) 30 seconds ago")]
    [InlineData(ContainerState.Exited, 137, "Exited (137) 30 seconds ago")]
    [InlineData(ContainerState.Dead, 0, "Dead")]
    public void StatusText_State_DockersWords(ContainerState state, int code, string expected) =>
        Assert.Equal(expected, ContainerRow.StatusText(Status("web") with { State = state, ExitCode = code }, Now));

    [Fact]
    public void StatusText_KilledForMemory_NamesTheLimit() => Assert.Equal(
        "Exited (137) 30 seconds ago (out of memory: memory limit 64 MiB)",
        ContainerRow.StatusText(Status("web") with { State = ContainerState.Exited, ExitCode = 137, OomKilled = true, OomLimit = "memory limit 64 MiB" }, Now));

    [Fact]
    public void Table_Default_DockersColumns()
    {
        StringWriter output = new();
        Listing.Parse(null, ContainerRow.Columns).Write(output, ContainerRow.Fields, [Row(Status("web"))]);
        Assert.Equal(
            "CONTAINER ID   IMAGE     COMMAND                  CREATED          STATUS         PORTS     NAMES\n"
            + "aaaaaaaaaaaa   busybox   \"sleep 1000 and ever…\"   10 minutes ago   Up 5 minutes             web\n",
            output.ToString());
    }

    [Fact]
    public void Json_AllFieldsOfDocker()
    {
        StringWriter output = new();
        Listing.Parse("json", ContainerRow.Columns).Write(output, ContainerRow.Fields, [Row(Status("web"))]);
        Assert.Equal(
            "{\"Command\":\"\\\"sleep 1000 and ever…\\\"\",\"CreatedAt\":\"2024-06-01 11:50:00 +0000 UTC\",\"ID\":\"aaaaaaaaaaaa\",\"Image\":\"busybox\","
            + "\"Labels\":\"a=1,b=2\",\"LocalVolumes\":\"0\",\"Mounts\":\"\",\"Names\":\"web\",\"Networks\":\"\",\"Ports\":\"\","
            + "\"RunningFor\":\"10 minutes ago\",\"Size\":\"0B\",\"State\":\"running\",\"Status\":\"Up 5 minutes\"}\n",
            output.ToString());
    }

    private static Hull.Cli.Templates.TemplateRow Row(ContainerStatus status) =>
        new ContainerRow(status, truncate: true, Now, () => null, () => "0B").ToRow();

    private static ContainerStatus Status(string name) => new()
    {
        Id = Id,
        Name = name,
        Image = "busybox",
        ImageId = Digest.Of([]),
        Command = "sleep 1000 and ever after",
        Created = Now.AddMinutes(-10),
        State = ContainerState.Running,
        Started = Now.AddMinutes(-5),
        Finished = Now.AddSeconds(-30),
        Labels = new Dictionary<string, string> { ["b"] = "2", ["a"] = "1" },
    };
}
