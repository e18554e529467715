using System.Text.Json.Nodes;
using Hull.Kernel.Tests.Harness;

namespace Hull.Kernel.Tests;

/// <summary>Id-mapped bind mounts of <c>hull runtime</c>.</summary>
public sealed class IdMappedMountTests(HullStore store) : KernelTest(store)
{
    private const string Maps = """[{"containerID":0,"hostID":5000,"size":100}]""";

    /// <summary>A bundle that binds a host's directory with a file of root.</summary>
    private Bundle With(string[] options, bool mapped = true)
    {
        string source = $"{Store.Scratch}/source-{Guid.NewGuid():n}";
        Directory.CreateDirectory(source);
        File.WriteAllText($"{source}/file", "");
        Bundle bundle = new(Store, "ls -ln /mnt/file");
        JsonObject mount = new()
        {
            ["destination"] = "/mnt",
            ["source"] = source,
            ["options"] = new JsonArray([.. options.Select(word => JsonValue.Create(word))]),
        };
        if (mapped)
        {
            mount["uidMappings"] = JsonNode.Parse(Maps);
            mount["gidMappings"] = JsonNode.Parse(Maps);
        }

        bundle.Config["mounts"]!.AsArray().Add(mount);
        return bundle;
    }

    [KernelFact(Needs.Root)]
    public void Run_MappingsOfTheMount_ChangeTheOwner()
    {
        foreach (string[] options in (string[][])[["bind"], ["bind", "idmap"], ["rbind", "ridmap", "ro"]])
        {
            RunResult result = With(options).Run();
            if (result.ExitCode == 1 && result.Stderr.Contains("the file system of", StringComparison.Ordinal))
            {
                // The scratch directory's file system does not take mappings (hostfs, overlay before 6.13): a clear error is the answer.
                Assert.Contains("cannot be id-mapped", result.Stderr, StringComparison.Ordinal);
                continue;
            }

            Assert.Matches(@"^\S+ +1 5000 +5000 ", result.Ok());
        }
    }

    [KernelFact(Needs.Root)]
    public void Run_MappingThatIsIncomplete_IsRefused()
    {
        With(["bind", "idmap"], mapped: false).Run().Fails(1, "mounts: /mnt is to be id-mapped, but neither it nor linux has uidMappings and gidMappings");

        Bundle half = With(["bind"]);
        half.Config["mounts"]!.AsArray()[^1]!.AsObject().Remove("gidMappings");
        half.Run().Fails(1, "mounts: /mnt has only one of uidMappings and gidMappings");

        Bundle tmpfs = new(Store, "true");
        tmpfs.Config["mounts"]![1]!["options"]!.AsArray().Add("idmap");
        tmpfs.Run().Fails(1, "mounts: /dev is no bind mount; only those can be id-mapped");
    }
}
