using System.CommandLine;
using Hull.Cli.Parsing;
using Hull.Linux;

namespace Hull.Cli.Help;

/// <summary>The help of a command, laid out as docker lays out its own.</summary>
internal static class CommandHelp
{
    private const int FallbackWidth = 80;

    /// <summary>Under this many columns descriptions are not wrapped: they would be one word a line.</summary>
    private const int LeastDescription = 24;

    public static void Write(HullCommand command, TextWriter output)
    {
        output.WriteLine($"Usage:  {command.FullPath}{(command.Usage.Length > 0 ? " " : "")}{command.Usage}");
        output.WriteLine();
        output.WriteLine(command.Description ?? "");
        if (command.AliasLine.Length > 0)
        {
            output.WriteLine();
            output.WriteLine("Aliases:");
            output.WriteLine("  " + command.AliasLine);
        }

        WriteOptions("Options:", command, output);
    }

    /// <summary>The help of hull itself.</summary>
    public static void WriteTop(TextWriter output)
    {
        CliContext none = new() { Output = output, Error = output };
        output.WriteLine("Usage:  hull [OPTIONS] COMMAND");
        output.WriteLine();
        output.WriteLine("A container engine for Linux");
        WriteCommands("Common Commands:", CommandTable.CommonVerbs, "", none);
        output.WriteLine();
        output.WriteLine("Management Commands:");
        WriteColumns(output,
        [
            ("container", "Manage containers"), ("image", "Manage images"), ("manifest", "Manage manifest lists"),
            ("network", "Manage networks"), ("runtime", "OCI runtime: bundles to processes"),
            ("system", "Manage hull"), ("volume", "Manage volumes"),
        ]);
        WriteCommands("Commands:", CommandTable.OtherVerbs, "", none);
        WriteOptions("Global Options:", GlobalFlags.Create().Command, output);
        output.WriteLine();
        output.WriteLine("Run 'hull COMMAND --help' for more information on a command.");
    }

    /// <summary>The help of a word that only groups others: <c>container</c>, <c>image</c>.</summary>
    public static void WriteGroup(string group, string summary, IReadOnlyList<string> verbs, TextWriter output)
    {
        output.WriteLine($"Usage:  hull {group} COMMAND");
        output.WriteLine();
        output.WriteLine(summary);
        WriteCommands("Commands:", verbs, group, new CliContext { Output = output, Error = output });
        output.WriteLine();
        output.WriteLine($"Run 'hull {group} COMMAND --help' for more information on a command.");
    }

    private static void WriteCommands(string heading, IReadOnlyList<string> verbs, string group, CliContext context)
    {
        List<(string, string)> rows = [];
        foreach (string verb in verbs)
        {
            rows.Add((verb, CommandTable.Create(group, verb, context)?.Description ?? ""));
        }

        context.Output.WriteLine();
        context.Output.WriteLine(heading);
        WriteColumns(context.Output, rows);
    }

    private static void WriteColumns(TextWriter output, IReadOnlyList<(string Name, string Text)> rows)
    {
        int width = 0;
        foreach ((string name, _) in rows)
        {
            width = Math.Max(width, name.Length);
        }

        foreach ((string name, string text) in rows)
        {
            output.WriteLine($"  {name.PadRight(Math.Max(width, 11))} {text}");
        }
    }

    private static void WriteOptions(string heading, HullCommand command, TextWriter output)
    {
        List<(string Name, string Left, string Text)> rows = [];
        foreach (Option option in command.Options)
        {
            if (!option.Hidden)
            {
                string shorthand = Flags.Shorthand(option) is { } letter ? letter + ", " : "    ";
                string type = Flags.IsSwitch(option) ? "" : " " + option.HelpName;
                rows.Add((option.Name, $"  {shorthand}{option.Name}{type}", option.Description ?? ""));
            }
        }

        if (rows.Count == 0)
        {
            return;
        }

        rows.Sort((a, b) => string.CompareOrdinal(a.Name, b.Name));
        int width = 0;
        foreach ((_, string left, _) in rows)
        {
            width = Math.Max(width, left.Length);
        }

        output.WriteLine();
        output.WriteLine(heading);
        int indent = width + 3;
        int room = Width() - indent;
        foreach ((_, string left, string text) in rows)
        {
            output.Write(left.PadRight(indent));
            WriteWrapped(output, text, indent, room < LeastDescription ? int.MaxValue : room);
        }
    }

    private static void WriteWrapped(TextWriter output, string text, int indent, int room)
    {
        int column = 0;
        foreach (string word in text.Split(' '))
        {
            if (column > 0 && column + 1 + word.Length >= room)
            {
                output.WriteLine();
                output.Write(new string(' ', indent));
                column = 0;
            }
            else if (column > 0)
            {
                output.Write(' ');
                column++;
            }

            output.Write(word);
            column += word.Length;
        }

        output.WriteLine();
    }

    private static int Width()
    {
        using Microsoft.Win32.SafeHandles.SafeFileHandle terminal = new(1, ownsHandle: false);
        return Terminals.TryGetSize(terminal) is { Columns: > 0 } size ? size.Columns : FallbackWidth;
    }
}
