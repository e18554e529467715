using Hull.Engine.Containers;

namespace Hull.Engine.Tests;

public sealed class ContainerFilterTests : IDisposable
{
    private readonly TemporaryStore _store = new();
    private readonly Engine _engine;

    public ContainerFilterTests()
    {
        _engine = new Engine(_store.Paths, Assert.Fail);
        foreach (string name in (string[])["web-1", "web-2", "db"])
        {
            ContainerConfig config = TemporaryStore.Config(name);
            _store.Store.Create(
                config,
                TemporaryStore.Status(config, name == "db" ? ContainerState.Exited : ContainerState.Created) with
                {
                    Labels = new Dictionary<string, string> { ["tier"] = name == "db" ? "data" : "front", [name] = "" },
                    ExitCode = name == "db" ? 3 : 0,
                },
                durable: false);
        }
    }

    public void Dispose() => _store.Dispose();

    [Theory]
    [InlineData("name=web", "web-2 web-1")]
    [InlineData("name=^db$", "db")]
    [InlineData("name=^b", "")]
    [InlineData("label=tier=front", "web-2 web-1")]
    [InlineData("label=web-1", "web-1")]
    [InlineData("status=exited", "db")]
    [InlineData("exited=3", "db")]
    [InlineData("exited=0", "")]
    [InlineData("since=web-1", "db web-2")]
    [InlineData("before=web-2", "web-1")]
    [InlineData("network=none", "db web-2 web-1")]
    [InlineData("network=other", "")]
    public void List_OneFilter_Selects(string filter, string expected) =>
        Assert.Equal(expected, string.Join(' ', _engine.List(true, ContainerFilter.Parse([filter])).Select(status => status.Name)));

    [Fact]
    public void List_TwoValuesOfAKey_AreAlternatives() =>
        Assert.Equal(2, _engine.List(true, ContainerFilter.Parse(["name=db", "name=web-1"])).Count);

    [Fact]
    public void List_TwoLabels_MustBothBe() =>
        Assert.Equal("web-1", Assert.Single(_engine.List(true, ContainerFilter.Parse(["label=tier=front", "label=web-1"]))).Name);

    [Fact]
    public void List_NotAll_ShowsOnlyThoseThatRunUnlessAStateIsAsked()
    {
        Assert.Empty(_engine.List(all: false));
        Assert.Single(_engine.List(all: false, ContainerFilter.Parse(["status=exited"])));
    }

    [Theory]
    [InlineData("name", "expected name=value")]
    [InlineData("bogus=1", "invalid filter 'bogus'")]
    [InlineData("status=flying", "invalid filter 'status=flying'")]
    [InlineData("exited=x", "invalid filter 'exited=x'")]
    public void Parse_Wrong_SaysWhy(string filter, string words) =>
        Assert.Contains(words, Assert.Throws<EngineException>(() => ContainerFilter.Parse([filter])).Message, StringComparison.Ordinal);

    [Fact]
    public void Inspect_HasDockersShape()
    {
        System.Text.Json.Nodes.JsonObject document = _engine.Inspect(_engine.Find("db"));

        Assert.Equal("/db", document["Name"]!.GetValue<string>());
        Assert.Equal("exited", document["State"]!["Status"]!.GetValue<string>());
        Assert.Equal(3, document["State"]!["ExitCode"]!.GetValue<int>());
        Assert.Equal("sh", document["Path"]!.GetValue<string>());
        Assert.Equal("none", document["HostConfig"]!["NetworkMode"]!.GetValue<string>());
        Assert.Equal("0001-01-01T00:00:00Z", document["State"]!["StartedAt"]!.GetValue<string>());
        Assert.NotEmpty(document.ToJsonString());
    }

    [Fact]
    public void Remove_TakesRecordNameAndRuntimeDirectory()
    {
        ContainerId id = _engine.Find("db");

        _engine.Remove(id);

        // By the whole id: "db" could be how another container's id begins.
        Assert.Null(_store.Store.TryFind(id.Hex));
        Assert.DoesNotContain("db", _store.Names());
        Assert.Empty(Directory.GetDirectories(_store.Paths.RuntimeContainers));
    }

    [Fact]
    public void Status_RunningWithoutMonitor_IsExited137AndSaysWhy()
    {
        ContainerConfig config = _store.Add("lost", ContainerState.Running);

        ContainerStatus status = _engine.Status(config.Id);

        Assert.Equal((ContainerState.Exited, 137, 0), (status.State, status.ExitCode, status.Pid));
        Assert.Contains("monitor", status.Error, StringComparison.Ordinal);
        Assert.Equal(status, _store.Store.ReadStatus(config.Id));
    }

    [Fact]
    public void Status_AutoRemoveWithoutMonitor_IsRemoved()
    {
        ContainerConfig config = TemporaryStore.Config("lost", new HostConfig { AutoRemove = true });
        _store.Store.Create(config, TemporaryStore.Status(config, ContainerState.Running) with { AutoRemove = true }, durable: false);

        Assert.DoesNotContain(_engine.List(), status => status.Id == config.Id);
        Assert.Null(_store.Store.TryFind("lost"));
    }

    [Theory]
    [InlineData("always", 0, false, 0, true)]
    [InlineData("unless-stopped", 0, true, 0, false)]
    [InlineData("unless-stopped", 0, false, 0, true)]
    [InlineData("on-failure", 0, false, 9, false)]
    [InlineData("on-failure:2", 1, false, 1, true)]
    [InlineData("on-failure:2", 1, false, 2, false)]
    [InlineData("no", 1, false, 0, false)]
    public void ShouldRestart_ByPolicy(string policy, int exitCode, bool stopped, int restarts, bool expected)
    {
        ContainerStatus status = TemporaryStore.Status(TemporaryStore.Config()) with { ExitCode = exitCode, StoppedByUser = stopped, RestartCount = restarts };

        Assert.Equal(expected, Engine.ShouldRestart(RestartPolicy.Parse(policy), status));
    }
}
