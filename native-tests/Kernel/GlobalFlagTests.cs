using System.Text.Json.Nodes;
using Hull.Kernel.Tests.Harness;

namespace Hull.Kernel.Tests;

/// <summary>The flags before the command, and the two commands that tell about hull itself.</summary>
public sealed class GlobalFlagTests(HullStore store) : KernelTest(store)
{
    [KernelFact(Needs.Root)]
    public void Roots_ByFlag_AreStoresOfTheirOwn()
    {
        Detached("box");
        string[] other = ["--data-root", $"{Store.Scratch}/other", "--exec-root", $"/run/{Store.Name}-other"];
        try
        {
            Assert.Equal("", Hull([.. other, "ps", "-aq"]).Ok());
            Hull([.. other, "load", "-i", Repository.Fixture("busybox")]).Ok();
            Hull([.. other, "run", "-d", "--name", "box", "busybox", "sleep", "1000"]).Ok();

            Assert.NotEqual(Inspect("box", "{{.Id}}"), Hull([.. other, "inspect", "-f", "{{.Id}}", "box"]).Ok());
            Hull([.. other, "rm", "-f", "box"]).Ok();
            Assert.Equal("box", Store.Run("ps", "--format", "{{.Names}}").Ok());
        }
        finally
        {
            Directory.Delete($"/run/{Store.Name}-other", recursive: true);
        }
    }

    [KernelFact(Needs.Root)]
    public void DataRoot_IsAFile_SaysSo()
    {
        string file = $"{Store.Scratch}/file";
        File.WriteAllText(file, "");

        Hull("--data-root", file, "run", "busybox", "true").Fails(125, file);
    }

    [KernelFact(Needs.Root)]
    public void Host_IsReserved_SaysWhatToUse() => Hull("-H", "unix:///var/run/docker.sock", "ps").Fails(1, "--data-root");

    [KernelFact(Needs.Root)]
    public void Debug_Failure_TellsWhereItComesFrom()
    {
        Assert.Contains("debug:    at ", Hull("--debug", "inspect", "nosuch").Stderr, StringComparison.Ordinal);
        Assert.DoesNotContain("debug:", Hull("inspect", "nosuch").Fails(1), StringComparison.Ordinal);
    }

    [KernelFact(Needs.Root)]
    public void Info_CountsByState()
    {
        Detached("running");
        Detached("paused");
        Hull("pause", "paused").Ok();
        Hull("create", "--name", "created", Store.Busybox).Ok();

        JsonNode info = JsonNode.Parse(Hull("info", "--format", "json").Ok())!;

        Assert.Equal(
            (3, 1, 1, 1, 1),
            ((int)info["Containers"]!, (int)info["ContainersRunning"]!, (int)info["ContainersPaused"]!, (int)info["ContainersStopped"]!, (int)info["Images"]!));
        Assert.Equal(Store.DataRoot, (string)info["DockerRootDir"]!);
        Assert.Equal(Machine.CgroupV1Mount("memory") is null ? "2" : "1", ((string)info["CgroupVersion"]!)[..1]);
    }

    [KernelFact(Needs.Root)]
    public void Version_Format_GivesTheClients()
    {
        string version = Hull("version", "--format", "{{.Client.Version}}").Ok();

        Assert.Matches(@"^\d+\.\d+\.\d+$", version);
        Assert.StartsWith($"hull version {version}, build ", Hull("--version").Ok(), StringComparison.Ordinal);
    }
}
