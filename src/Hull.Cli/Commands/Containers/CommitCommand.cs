using System.CommandLine;
using Hull.Cli.Commands.Images;
using Hull.Cli.Parsing;
using Hull.Engine;
using Hull.Engine.Containers;
using Hull.Oci;

namespace Hull.Cli.Commands;

/// <summary><c>hull commit</c>: an image of what a container has changed.</summary>
internal static class CommitCommand
{
    public static HullCommand Create(CliContext context, string path)
    {
        Option<string?> author = Flags.Text("--author", "string", "Author (e.g., \"John Hannibal Smith <hannibal@a-team.com>\")", "-a");
        Option<string[]?> change = Flags.List("--change", "Apply Dockerfile instruction to the created image", "-c");
        Option<string?> message = Flags.Text("--message", "string", "Commit message", "-m");
        Option<bool?> pause = Flags.Switch("--pause", "Pause container during commit (default true)", "-p");
        Option<bool?> squash = Flags.Switch("--squash", "Make one layer of all that the container sees");
        HullCommand command = new(path, "[OPTIONS] CONTAINER [REPOSITORY[:TAG]]", "Create a new image from a container's changes", 1, 2)
        {
            AliasLine = "hull container commit, hull commit",
            Completion = ArgumentCompletion.Containers,
        };
        foreach (Option option in (ReadOnlySpan<Option>)[author, change, message, pause, squash])
        {
            command.Add(option);
        }

        command.SetAction(result =>
        {
            string[] names = command.Positional(result);
            string[] changes = result.ListOf(change) ?? [];
            // Refused before the container is paused and read.
            DefaultsChanges.Apply(changes, new Oci.ImageSpec.ImageDefaults());
            CommitRequest request = new()
            {
                Reference = names.Length == 2 ? Target(names[1]) : null,
                Author = result.TextOf(author),
                Message = result.TextOf(message),
                Pause = result.IsOn(pause, missing: true),
                Squash = result.IsOn(squash),
                Change = defaults => DefaultsChanges.Apply(changes, defaults),
            };
            context.Output.WriteLine(context.Engine.Commit(context.Engine.Find(names[0]), request).Id.ToString());
            return 0;
        });
        return command;
    }

    /// <summary>The name of an image to be made.</summary>
    /// <exception cref="EngineException">Invalid: no name, or one with a digest.</exception>
    internal static ImageReference Target(string name) =>
        !ImageReference.TryParse(name, out ImageReference? reference, out string? problem) ? throw EngineException.Invalid(problem)
        : reference.Digest is not null ? throw EngineException.Invalid($"\"{name}\": refusing to create a tag with a digest reference")
        : reference;
}
