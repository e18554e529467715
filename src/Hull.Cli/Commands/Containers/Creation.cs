using Hull.Cli.Commands.Images;
using Hull.Engine;
using Hull.Engine.Containers;
using Hull.Images;
using Hull.Oci.ImageSpec;

namespace Hull.Cli.Commands;

/// <summary>How the image of a new container may be fetched.</summary>
/// <param name="Policy"><c>always</c>, <c>missing</c> or <c>never</c>.</param>
internal sealed record PullRequest(string Policy, string? Platform, bool Quiet);

/// <summary>What run and create do around the engine's work.</summary>
internal static class Creation
{
    /// <summary>The image, fetched first where that is allowed and needed.</summary>
    /// <exception cref="EngineException">NotFound: it is nowhere; Conflict: the cidfile exists.</exception>
    public static Image FindImage(CliContext context, CreateRequest request, PullRequest pull)
    {
        if (request.Host.CidFile is { } file && File.Exists(file))
        {
            throw EngineException.Conflict($"container ID file found, make sure the other container isn't running or delete {file}");
        }

        ImageStore images = context.Images;
        Platform? platform = PullCommand.ParsePlatform(pull.Platform);
        if (pull.Policy != "always")
        {
            ImageMatch match = images.Find(request.Image, platform);
            if (match.Image is not null || pull.Policy == "never" || match is not { Error: ImageError.NotFound, Reference: not null })
            {
                return match.Required();
            }

            context.Error.WriteLine($"Unable to find image '{match.Reference.Familiar}' locally");
        }

        PullCommand.Pull(context, request.Image, pull.Platform, TransferOutput.BesideData(context, pull.Quiet));
        return images.Find(request.Image, platform).Required();
    }

    /// <summary>Writes <c>--cidfile</c>; where that fails the container goes again.</summary>
    public static void WriteCidFile(CliContext context, ContainerConfig container)
    {
        if (container.Host.CidFile is not { } path)
        {
            return;
        }

        try
        {
            File.WriteAllText(path, container.Id.Hex);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            context.Engine.Remove(container.Id, force: true, volumes: true);
            throw EngineException.Invalid($"failed to create the container ID file: {exception.Message}", exception);
        }
    }
}
