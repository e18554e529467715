using System.Globalization;
using System.Text;
using System.Text.Json;
using Hull.Cli.Output;
using Hull.Runtime;
using Hull.Runtime.Bundles;

namespace Hull.Cli.Runtime;

/// <summary><c>hull runtime list</c>, in runc's shapes.</summary>
internal static class RuntimeList
{
    public static void Write(BundleRuntime runtime, RuntimeArguments parsed)
    {
        IReadOnlyList<ListedContainer> all = runtime.List();
        RuntimeCommand.Write(1, parsed.Has("--quiet")
            ? string.Concat(all.Select(container => container.State.Id + "\n"))
            : (parsed.Option("--format") ?? "table") switch
            {
                "table" => Table(all),
                "json" => Json(all),
                string other => throw new ContainerException(ContainerFault.Engine, $"invalid format option '{other}': table and json are there"),
            });
    }

    private static string Table(IReadOnlyList<ListedContainer> all)
    {
        TabWriter table = new(minimumWidth: 12);
        table.AddRow("ID", "PID", "STATUS", "BUNDLE", "CREATED", "OWNER");
        foreach ((ContainerState state, string status) in all)
        {
            table.AddRow(
                state.Id, RuntimeState.Pid(state, status).ToString(CultureInfo.InvariantCulture), status, state.Bundle, RuntimeState.Created(state), RuntimeState.Owner);
        }

        using StringWriter text = new();
        table.WriteTo(text);
        return text.ToString();
    }

    private static string Json(IReadOnlyList<ListedContainer> all)
    {
        using MemoryStream stream = new();
        using (Utf8JsonWriter json = new(stream))
        {
            json.WriteStartArray();
            foreach ((ContainerState state, string status) in all)
            {
                RuntimeState.Append(json, state, status);
            }

            json.WriteEndArray();
        }

        return Encoding.UTF8.GetString(stream.GetBuffer(), 0, (int)stream.Length) + "\n";
    }
}
