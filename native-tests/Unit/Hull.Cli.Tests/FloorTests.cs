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
    public void KernelTests_ReferenceNothingOfSrc()
    {
        // They see the published binary only: what they check is what a user gets.
        XDocument project = XDocument.Load(Path.Combine(Root(), "native-tests/Kernel/Hull.Kernel.Tests.csproj"));

        Assert.Empty(project.Descendants("ProjectReference"));
    }

    private static IEnumerable<(string Name, string[] References)> Projects() =>
        Directory.EnumerateFiles(Path.Combine(Root(), "src"), "*.csproj", SearchOption.AllDirectories)
            .Select(path => (
                Path.GetFileNameWithoutExtension(path),
                XDocument.Load(path).Descendants("ProjectReference")
                    .Select(reference => Path.GetFileNameWithoutExtension(reference.Attribute("Include")!.Value))
                    .ToArray()));

    private static string Root()
    {
        string directory = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(directory, "Runtime.sln")))
        {
            directory = Path.GetDirectoryName(directory) ?? throw new InvalidOperationException("no Runtime.sln above the test's directory");
        }

        return directory;
    }
}
