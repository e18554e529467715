using System.Xml.Linq;

namespace Hull.Cli.Tests;

/// <summary>The floors: a project uses the floors under it, never its own or one above. Read from the project files.</summary>
public sealed class FloorTests
{
    private static readonly Dictionary<string, int> Floors = new()
    {
        ["Hull.Linux"] = 0,
        ["Hull.Oci"] = 1,
        ["Hull.Runtime"] = 2,
        ["Hull.Images"] = 2,
        ["Hull.Networking"] = 2,
        ["Hull.Engine"] = 3,
        ["Hull.Build"] = 3,
        ["Hull.Api"] = 4,
        ["Hull.Compose"] = 4,
        ["Hull.Cri"] = 4,
        ["Hull.Dashboard"] = 4,
        ["Hull.Cli"] = 5,
    };

    [Fact]
    public void Projects_OfSrc_StandOnAFloor()
    {
        Assert.All(Projects(), project => Assert.Contains(project.Name, Floors.Keys));
    }

    [Fact]
    public void References_OfEachProject_PointDown()
    {
        string[] wrong =
        [
            .. from project in Projects()
               from reference in project.References
               where Floors[reference] >= Floors[project.Name]
               select $"{project.Name} (floor {Floors[project.Name]}) uses {reference} (floor {Floors[reference]})",
        ];

        Assert.Empty(wrong);
    }

    [Fact]
    public void KernelTests_UseSrc_ForNetlinkOnly()
    {
        // They see the published binary only: what they check is what a user gets. What speaks netlink does more than the commands
        // ask for, and is tried in namespaces of the tests' own.
        string directory = Path.Combine(Root(), "native-tests/Kernel");
        string[] references =
        [
            .. XDocument.Load(Path.Combine(directory, "Hull.Kernel.Tests.csproj")).Descendants("ProjectReference")
                .Select(reference => Path.GetFileNameWithoutExtension(reference.Attribute("Include")!.Value)),
        ];
        string[] users =
        [
            .. Directory.EnumerateFiles(directory, "*.cs", SearchOption.AllDirectories)
                .Where(path => references.Any(name => File.ReadAllText(path).Contains($"using {name}", StringComparison.Ordinal)))
                .Select(path => Path.GetRelativePath(directory, path))
                // What is left behind of links and rules is looked for with the same eyes.
                .Where(path => !path.StartsWith("Networking/", StringComparison.Ordinal) && path != "Harness/LeakCheck.cs"),
        ];

        Assert.Empty(references.Except(["Hull.Linux", "Hull.Networking"]));
        Assert.Empty(users);
    }

    private static IEnumerable<(string Name, string[] References)> Projects() =>
        Directory.EnumerateFiles(Path.Combine(Root(), "src"), "*.csproj", SearchOption.AllDirectories)
            .Select(path => (
                Path.GetFileNameWithoutExtension(path),
                XDocument.Load(path).Descendants("ProjectReference")
                    .Select(reference => Path.GetFileNameWithoutExtension(reference.Attribute("Include")!.Value))
                    .ToArray()));

    internal static string Root()
    {
        string directory = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(directory, "Runtime.sln")))
        {
            directory = Path.GetDirectoryName(directory) ?? throw new InvalidOperationException("no Runtime.sln above the test's directory");
        }

        return directory;
    }
}
