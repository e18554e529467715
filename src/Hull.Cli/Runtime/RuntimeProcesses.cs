using Hull.Cli.Output;
using Hull.Engine;
using Hull.Runtime;

namespace Hull.Cli.Runtime;

/// <summary><c>hull runtime ps</c>: the processes of a container, as a JSON list of ids or as a table of ps(1).</summary>
internal static class RuntimeProcesses
{
    public static void Write(IReadOnlyList<int> processes, RuntimeArguments parsed)
    {
        switch (parsed.Option("--format") ?? "table")
        {
            case "json":
                RuntimeCommand.Write(1, $"[{string.Join(',', processes.Order())}]\n");
                break;
            case "table":
                RuntimeCommand.Write(1, Table(ProcessTable.Read(processes, [.. parsed.Positionals.Skip(1)])));
                break;
            case string other:
                throw new ContainerException(ContainerFault.Engine, $"invalid format option '{other}': table and json are there");
        }
    }

    private static string Table(ProcessList list)
    {
        TabWriter table = new(minimumWidth: 8);
        table.AddRow([.. list.Titles]);
        foreach (IReadOnlyList<string> process in list.Processes)
        {
            table.AddRow([.. process]);
        }

        using StringWriter text = new();
        table.WriteTo(text);
        return text.ToString();
    }
}
