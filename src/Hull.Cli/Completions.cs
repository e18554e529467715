using System.CommandLine;
using System.CommandLine.Completions;
using System.CommandLine.Parsing;
using Hull.Engine;
using Hull.Images;

namespace Hull.Cli;

/// <summary>What the arguments of a command name.</summary>
internal enum ArgumentCompletion
{
    None,
    Containers,
    Images,
    Networks,
    Volumes,
}

/// <summary>Shell completion: the shell's script calls <c>hull "[suggest:POSITION]" "LINE"</c>, which is answered from the whole
/// tree of commands.</summary>
internal static class Completions
{
    /// <summary>The names an argument could be; empty where the store cannot be read.</summary>
    public static IEnumerable<CompletionItem> Of(ArgumentCompletion kind)
    {
        List<CompletionItem> items = [];
        try
        {
            HullPaths paths = HullPaths.Resolve();
            if (kind == ArgumentCompletion.Containers)
            {
                foreach (string name in Directory.EnumerateFileSystemEntries(paths.Names))
                {
                    items.Add(new CompletionItem(Path.GetFileName(name)));
                }

                return items;
            }

            if (kind == ArgumentCompletion.Networks)
            {
                // A listing of networks undoes nothing, so it has nothing to warn of.
                items.AddRange(new Hull.Engine.Engine(paths, static _ => { }).ListNetworks().Select(static network => new CompletionItem(network.Name)));
                return items;
            }

            if (kind == ArgumentCompletion.Volumes)
            {
                items.AddRange(new Hull.Engine.Volumes.VolumeStore(paths).List().Select(static volume => new CompletionItem(volume.Name)));
                return items;
            }

            foreach (Image image in ImageStore.Open(paths.DataRoot).List())
            {
                foreach (string tag in image.RepoTags)
                {
                    items.Add(new CompletionItem(tag));
                }
            }
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or Hull.Linux.SyscallException or EngineException)
        {
            // A prompt is no place for errors: without a store there is nothing to offer.
        }

        return items;
    }

    /// <summary>Answers <c>[suggest:POSITION] LINE</c>: one completion a line.</summary>
    public static int Suggest(ReadOnlySpan<string> arguments, CliContext context)
    {
        string line = arguments.Length > 1 ? arguments[1] : "";
        int colon = arguments[0].IndexOf(':', StringComparison.Ordinal);
        if (colon < 0 || !int.TryParse(arguments[0].AsSpan(colon + 1).TrimEnd(']'), out int position))
        {
            position = line.Length;
        }

        // The shell gives the line with the program's own name in front.
        int space = line.IndexOf(' ', StringComparison.Ordinal);
        string rest = space < 0 ? "" : line[(space + 1)..];
        ParseResult result = Tree(context).Parse(CommandLineParser.SplitCommandLine(rest).ToArray());
        foreach (CompletionItem item in result.GetCompletions(Math.Clamp(position - space - 1, 0, rest.Length)))
        {
            context.Output.WriteLine(item.InsertText ?? item.Label);
        }

        return 0;
    }

    /// <summary>Every command under one root.</summary>
    internal static RootCommand Tree(CliContext context)
    {
        RootCommand root = new("A container engine for Linux");
        foreach (Option option in GlobalFlags.Create().Command.Options)
        {
            if (option.Name != "--version")
            {
                root.Add(option);
            }
        }

        foreach (string verb in (List<string>)[.. CommandTable.CommonVerbs, .. CommandTable.OtherVerbs])
        {
            root.Add(CommandTable.Create("", verb, context)!);
        }

        AddGroup(root, "container", CommandTable.ContainerVerbs, context);
        AddGroup(root, "image", CommandTable.ImageVerbs, context);
        return root;
    }

    private static void AddGroup(RootCommand root, string group, IReadOnlyList<string> verbs, CliContext context)
    {
        Command command = new(group);
        foreach (string verb in verbs)
        {
            command.Add(CommandTable.Create(group, verb, context)!);
        }

        root.Add(command);
    }
}
