using Hull.Engine.Containers;
using Hull.Linux;
using Hull.Networking.Endpoints;

namespace Hull.Engine.Tests;

public sealed class ContainerStoreTests : IDisposable
{
    private readonly TemporaryStore _store = new();

    public void Dispose() => _store.Dispose();

    [Fact]
    public void Create_ThenRead_GivesTheSame()
    {
        ContainerConfig config = TemporaryStore.Config("web", new HostConfig { Init = true, OomScoreAdj = 0 }, new PayloadConfig { Env = ["A=1"] });

        _store.Store.Create(config, TemporaryStore.Status(config), durable: true);

        ContainerConfig read = _store.Store.ReadConfig(config.Id);
        Assert.Equal((config.Id, config.Name, config.Created, config.ImageId), (read.Id, read.Name, read.Created, read.ImageId));
        Assert.Equal(config.Args, read.Args);
        Assert.Equal(["A=1"], read.Payload.Env!);
        Assert.True(read.Host.Init);
        Assert.Equal(0, read.Host.OomScoreAdj);
        Assert.True(Directory.Exists(_store.Paths.ContainerDirectory(config.Id) + "/upper"));
    }

    [Fact]
    public void Create_NameInUse_IsAConflictAndLeavesNothing()
    {
        ContainerConfig first = _store.Add("web");

        EngineException error = Assert.Throws<EngineException>(() => _store.Add("web"));

        Assert.Equal(EngineErrorKind.Conflict, error.Kind);
        Assert.Contains($"The container name \"/web\" is already in use by container \"{first.Id.Hex}\"", error.Message, StringComparison.Ordinal);
        Assert.Equal([first.Id.Hex], _store.Directories());
    }

    [Fact]
    public void Create_FailureInTheMiddle_LeavesNothing()
    {
        ContainerConfig config = TemporaryStore.Config();

        Assert.Throws<IOException>(() => _store.Store.Create(config, TemporaryStore.Status(config), false, _ => throw new IOException("disk full")));

        Assert.Empty(_store.Directories());
        Assert.Empty(_store.Names());
    }

    [Fact]
    public void Create_NameOfAKilledRemoval_IsFree()
    {
        ContainerConfig gone = _store.Add("web");
        Directory.Delete(_store.Paths.ContainerDirectory(gone.Id), recursive: true);

        ContainerConfig next = _store.Add("web");

        Assert.Equal(next.Id, _store.Store.Find("web"));
    }

    [Fact]
    public void Create_NameOfAKilledCreation_IsFree()
    {
        ContainerConfig half = _store.Add("web");
        Directory.Move(_store.Paths.ContainerDirectory(half.Id), _store.Paths.Containers + "/new-" + half.Id.Hex);

        ContainerConfig next = _store.Add("web");

        Assert.Equal([next.Id.Hex], _store.Directories());
    }

    [Fact]
    public void Create_ManyThreadsOneName_OneWins()
    {
        int won = 0;
        Parallel.For(0, 32, _ =>
        {
            try
            {
                _store.Add("web");
                Interlocked.Increment(ref won);
            }
            catch (EngineException e) when (e.Kind == EngineErrorKind.Conflict)
            {
            }
        });

        Assert.Equal(1, won);
        Assert.Single(_store.Directories());
        Assert.Equal(["web"], _store.Names());
    }

    [Fact]
    public void CreateAndRemove_ManyThreadsOneName_EndsConsistent()
    {
        int created = 0;
        Parallel.For(0, 16, _ =>
        {
            for (int round = 0; round < 20; round++)
            {
                try
                {
                    ContainerConfig config = _store.Add("web");
                    Interlocked.Increment(ref created);
                    using FileLock held = MonitorLock.Acquire(_store.Paths, config.Id);
                    _store.Store.Remove(config.Id, "web", null);
                }
                catch (EngineException e) when (e.Kind == EngineErrorKind.Conflict)
                {
                }
            }
        });

        Assert.True(created > 0);
        Assert.Empty(_store.Directories());
        Assert.Empty(_store.Names());
        Assert.Empty(Directory.GetDirectories(_store.Paths.RuntimeContainers));
    }

    [Fact]
    public void Find_ByIdNamePrefix_Finds()
    {
        ContainerConfig web = _store.Add("web");
        _store.Add("other");

        Assert.Equal(web.Id, _store.Store.Find("web"));
        Assert.Equal(web.Id, _store.Store.Find("/web"));
        Assert.Equal(web.Id, _store.Store.Find(web.Id.Hex));
        Assert.Equal(web.Id, _store.Store.Find(web.Id.Short));
    }

    [Fact]
    public void Find_NameThatIsAlsoAPrefix_TheNameWins()
    {
        ContainerConfig first = _store.Add("one");
        ContainerConfig second = _store.Add(first.Id.Hex[..6]);

        Assert.Equal(second.Id, _store.Store.Find(first.Id.Hex[..6]));
    }

    [Fact]
    public void Find_AmbiguousPrefix_IsAConflict()
    {
        // Seventeen ids: two of them start alike.
        for (int i = 0; i < 17; i++)
        {
            _store.Add("c" + i);
        }

        string twice = _store.Directories().GroupBy(id => id[..1]).First(group => group.Count() > 1).Key;

        EngineException error = Assert.Throws<EngineException>(() => _store.Store.Find(twice));
        Assert.Contains("multiple IDs found", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("wep", "No such container: wep (did you mean web?)")]
    [InlineData("database", "No such container: database")]
    [InlineData("../../etc/passwd", "No such container: ../../etc/passwd")]
    [InlineData("a\u001b[31mb", "No such container: a?[31mb")]
    public void Find_Unknown_NamesTheNearest(string reference, string message)
    {
        _store.Add("web");

        EngineException error = Assert.Throws<EngineException>(() => _store.Store.Find(reference));

        Assert.Equal((EngineErrorKind.NotFound, message), (error.Kind, error.Message));
    }

    [Fact]
    public void NoSuchContainer_NameOfAnImage_SaysSo() =>
        Assert.Contains("'busybox' is an image", _store.Store.NoSuchContainer("busybox", name => name == "busybox"), StringComparison.Ordinal);

    [Fact]
    public void List_NewestFirst_SkipsDamagedRecords()
    {
        ContainerConfig old = _store.Add("old");
        ContainerConfig young = _store.Add("young");
        ContainerConfig damaged = _store.Add("damaged");
        File.WriteAllText(_store.Paths.StatusFile(damaged.Id), "{\"id\":");

        List<ContainerStatus> list = _store.Store.List(null, out bool leftovers);

        Assert.Equal([young.Id, old.Id], list.Select(status => status.Id));
        Assert.False(leftovers);
        Assert.Contains("is damaged", Assert.Throws<EngineException>(() => _store.Store.ReadStatus(damaged.Id)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void List_RunningWithoutMonitor_AsksForTheTruth()
    {
        ContainerConfig config = _store.Add("web", ContainerState.Running);

        List<ContainerStatus> list = _store.Store.List(status => status with { State = ContainerState.Exited }, out _);

        Assert.Equal(ContainerState.Exited, Assert.Single(list).State);
        using FileLock monitor = MonitorLock.Acquire(_store.Paths, config.Id);
        Assert.Equal(ContainerState.Running, Assert.Single(_store.Store.List(_ => throw new InvalidOperationException(), out _)).State);
        Assert.True(MonitorLock.IsHeld(_store.Paths, config.Id));
    }

    [Fact]
    public void Sweep_Leftovers_AreRemovedWithTheVolumesOfHalfRemovedContainers()
    {
        MountConfig anonymous = new() { Kind = MountKind.Volume, Target = "/data", Source = "abcdef", Anonymous = true };
        ContainerConfig config = TemporaryStore.Config("web", mounts: [anonymous]);
        _store.Store.Create(config, TemporaryStore.Status(config), durable: false);
        Directory.Move(_store.Paths.ContainerDirectory(config.Id), _store.Paths.Containers + "/new-gone+volumes-" + config.Id.Hex);
        _store.Store.List(null, out bool leftovers);
        List<string> volumes = [];

        _store.Store.Sweep(volumes.Add);

        Assert.True(leftovers);
        Assert.Equal(["abcdef"], volumes);
        Assert.Empty(_store.Directories());
    }

    [Fact]
    public void Sweep_WhileSomeoneCreates_WaitsForAnotherTime()
    {
        ContainerConfig config = TemporaryStore.Config();

        _store.Store.Create(config, TemporaryStore.Status(config), false, _ => _store.Store.Sweep(null));

        Assert.Equal(config.Id, _store.Store.Find("web"));
    }

    [Fact]
    public void Record_ManyChangesAtOnce_NoneIsLost()
    {
        ContainerConfig config = _store.Add("web");
        ContainerStatus status = _store.Store.ReadStatus(config.Id);

        Parallel.For(0, 64, i =>
        {
            switch (i % 4)
            {
                case 0:
                    _store.Store.Rename(config.Id, $"web-{i}");
                    break;
                case 1:
                    // The monitor's, which knows an old name.
                    _store.Store.WriteStatus(status with { State = ContainerState.Running, Pid = 1 }, durable: false);
                    break;
                default:
                    _store.Store.ChangeConfig(config.Id, now => now with
                    {
                        Host = now.Host with { Endpoints = [.. now.Host.Endpoints ?? [], new EndpointSettings { Network = $"{i}", NetworkName = $"{i}" }] },
                    });
                    break;
            }
        });

        Assert.Equal(
            Enumerable.Range(0, 64).Where(i => i % 4 > 1).Select(i => $"{i}").Order(),
            _store.Store.ReadConfig(config.Id).Host.Endpoints!.Select(endpoint => endpoint.Network).Order());
        ContainerStatus now = _store.Store.ReadStatus(config.Id);
        Assert.Equal((ContainerState.Running, 1), (now.State, now.Pid));
        Assert.Equal(config.Id, _store.Store.Find(now.Name));
        Assert.Equal([now.Name], _store.Names());
    }

    [Fact]
    public void Change_OfARemovedContainer_IsNotFound()
    {
        ContainerConfig config = _store.Add("web");
        ContainerStatus status = _store.Store.ReadStatus(config.Id);
        _store.Store.Remove(config.Id, "web", null);

        Assert.Equal(EngineErrorKind.NotFound, Assert.Throws<EngineException>(() => _store.Store.ChangeConfig(config.Id, now => now)).Kind);
        Assert.Equal(EngineErrorKind.NotFound, Assert.Throws<EngineException>(() => _store.Store.WriteStatus(status, durable: false)).Kind);
        Assert.Equal(EngineErrorKind.NotFound, Assert.Throws<EngineException>(() => _store.Store.Rename(config.Id, "www")).Kind);
    }

    [Fact]
    public void Change_ThatThrows_ChangesNothing()
    {
        ContainerConfig config = _store.Add("web");

        Assert.Throws<InvalidOperationException>(() => _store.Store.ChangeConfig(config.Id, _ => throw new InvalidOperationException()));

        Assert.Equal("web", _store.Store.ReadConfig(config.Id).Name);
        _store.Store.ChangeConfig(config.Id, now => now with { Hostname = "other" });
        Assert.Equal("other", _store.Store.ReadConfig(config.Id).Hostname);
    }

    [Fact]
    public void Rename_NewNameFindsIt_OldNameIsFree()
    {
        ContainerConfig config = _store.Add("web");

        _store.Store.Rename(config.Id, "www");

        Assert.Equal(config.Id, _store.Store.Find("www"));
        Assert.Equal("www", _store.Store.ReadStatus(config.Id).Name);
        Assert.Null(_store.Store.TryFind("web"));
        _store.Add("web");
        Assert.Throws<EngineException>(() => _store.Store.Rename(config.Id, "web"));
    }

    [Fact]
    public void Rename_DoesNotTakeALabelForControlData()
    {
        EngineException error = Assert.Throws<EngineException>(() => _store.Store.Rename(_store.Add("web").Id, "../x"));
        Assert.Equal("Invalid container name (../x), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed", error.Message);
    }

    [Fact]
    public void Status_EveryField_SurvivesTheRoundTrip()
    {
        ContainerConfig config = TemporaryStore.Config();
        ContainerStatus status = TemporaryStore.Status(config, ContainerState.Exited) with
        {
            Pid = 7,
            MonitorPid = 6,
            ExitCode = 137,
            Started = DateTimeOffset.UnixEpoch.AddTicks(1),
            Finished = DateTimeOffset.UnixEpoch.AddSeconds(1),
            Error = "line\nnext \"quoted\" \u00e9",
            OomKilled = true,
            OomLimit = "64 MiB",
            RestartCount = 3,
            StoppedByUser = true,
            AutoRemove = true,
        };

        Assert.Equal(status, StatusCodec.Read(StatusCodec.Write(status)));
        ContainerStatus labelled = status with { Labels = new Dictionary<string, string> { ["a"] = "1", ["b"] = "" } };
        Assert.Equal(labelled.Labels, StatusCodec.Read(StatusCodec.Write(labelled)).Labels);
    }

    [Theory]
    [InlineData("")]
    [InlineData("[]")]
    [InlineData("{}")]
    [InlineData("{\"id\":5}")]
    [InlineData("{\"id\":\"../x\"}")]
    public void Status_Damaged_IsAJsonError(string text) =>
        Assert.ThrowsAny<System.Text.Json.JsonException>(() => StatusCodec.Read(System.Text.Encoding.UTF8.GetBytes(text)));

    [Fact]
    public void FreeName_IsValidAndMadeOfTwoWords()
    {
        for (int i = 0; i < 100; i++)
        {
            string name = _store.Store.FreeName();
            Assert.True(ContainerName.IsValid(name));
            Assert.Contains('_', name);
        }
    }
}
