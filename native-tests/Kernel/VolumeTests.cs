using Hull.Kernel.Tests.Harness;

namespace Hull.Kernel.Tests;

/// <summary>Volumes as a user keeps them.</summary>
public sealed class VolumeTests(HullStore store) : KernelTest(store)
{
    [KernelFact(Needs.Root | Needs.Overlay)]
    public void CreateUseRemove_AsATutorialHasIt()
    {
        Assert.Equal("todo-db", Store.Run("volume", "create", "--label", "tier=data", "todo-db").Ok());
        Assert.Equal("todo-db", Store.Run("volume", "create", "todo-db").Ok());
        Store.Run("run", "--name", "writer", "--mount", "type=volume,src=todo-db,target=/etc/todos", Store.Busybox, "sh", "-c", "echo one > /etc/todos/list").Ok();
        string point = Store.Run("volume", "inspect", "--format", "{{.Mountpoint}}", "todo-db").Ok();
        Assert.Equal("one\n", File.ReadAllText($"{point}/list"));
        Assert.Equal("local local data", Store.Run("inspect", "--type", "volume", "--format", "{{.Driver}} {{.Scope}} {{.Labels.tier}}", "todo-db").Ok());

        Store.Run("volume", "rm", "todo-db").Fails(1, "remove todo-db: volume is in use - [");
        Store.RemoveContainers();
        Assert.Equal("todo-db", Store.Run("volume", "rm", "todo-db").Ok());

        Assert.False(Directory.Exists(point));
        Store.Run("volume", "rm", "todo-db").Fails(1, "get todo-db: no such volume");
        Store.Run("volume", "rm", "-f", "todo-db").Ok();
        Store.Run("volume", "inspect", "todo-db").Fails(1, "get todo-db: no such volume");
    }

    [KernelFact(Needs.Root | Needs.Overlay)]
    public void List_FiltersAndFormats()
    {
        string anonymous = Store.Run("volume", "create").Ok();
        Assert.Matches("^[0-9a-f]{64}$", anonymous);
        Store.Run("volume", "create", "--label", "a=1", "first").Ok();
        Store.Run("create", "-v", "second:/data", Store.Busybox, "true").Ok();

        string[] rows = Store.Run("volume", "ls").Ok().Split('\n');

        Assert.Equal("DRIVER    VOLUME NAME", rows[0]);
        Assert.Contains("local     first", rows);
        Assert.Equal("second", Store.Run("volume", "ls", "-q", "--filter", "dangling=false").Ok());
        Assert.Equal("first", Store.Run("volume", "ls", "-qf", "dangling=1", "-f", "name=irs").Ok());
        Assert.Equal("first a=1", Store.Run("volume", "ls", "-f", "label=a", "--format", "{{.Name}} {{.Labels}}").Ok());
        Assert.Equal($"Deleted Volumes:\n{anonymous}", Store.Run("volume", "prune", "-f").Ok().Split("\n\n")[0]);
        Store.RemoveContainers();
        Store.Run("volume", "rm", "first", "second").Ok();
    }

    [KernelTheory(Needs.Root)]
    [InlineData("includes invalid characters for a local volume name", "volume", "create", "../up")]
    [InlineData("volume name is too short", "volume", "create", "a")]
    [InlineData("hull has local volumes alone", "volume", "create", "-d", "nfs", "v1")]
    [InlineData("local volumes have no options", "volume", "create", "-o", "type=tmpfs", "v1")]
    [InlineData("invalid filter 'size'", "volume", "ls", "-f", "size=1")]
    public void Wrong_SaysWhatInstead(string words, params string[] arguments)
    {
        RunResult result = Store.Run(arguments);

        Assert.NotEqual(0, result.ExitCode);
        Assert.Contains(words, result.Stderr, StringComparison.Ordinal);
        Assert.Empty(Store.Run("volume", "ls", "-q").Ok());
    }
}
