using Hull.Cli.Output;
using Hull.Engine.Containers;
using Hull.Linux;

namespace Hull.Cli.Commands;

/// <summary>What a container takes on disk.</summary>
/// <param name="Own">Bytes of the files it has written.</param>
/// <param name="Virtual">Those and its image's.</param>
internal readonly record struct ContainerSize(long Own, long Virtual)
{
    /// <summary>As <c>ps -s</c> shows it: <c>12kB (virtual 4.4MB)</c>.</summary>
    public string Text => $"{Units.HumanSize(Own, 3)} (virtual {Units.HumanSize(Virtual, 3)})";

    public static ContainerSize Of(CliContext context, ContainerId id)
    {
        ContainerConfig config = context.Engine.Containers.ReadConfig(id);
        long own = TreeSize.Of(context.Paths.ContainerDirectory(id) + "/upper");
        long image = context.Images.Find(config.ImageId.ToString()).Image?.Size ?? 0;
        return new ContainerSize(own, own + image);
    }
}
