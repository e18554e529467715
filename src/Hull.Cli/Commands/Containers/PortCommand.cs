using Hull.Cli.Parsing;
using Hull.Engine;
using Hull.Engine.Containers;
using Hull.Networking;
using Hull.Networking.Ports;

namespace Hull.Cli.Commands;

/// <summary><c>hull port</c>: the ports of the host that lead into a container.</summary>
internal static class PortCommand
{
    public static HullCommand Create(CliContext context, string path)
    {
        HullCommand command = new(path, "CONTAINER [PRIVATE_PORT[/PROTO]]", "List port mappings or a specific mapping for the container", 1, 2)
        {
            AliasLine = "hull container port, hull port",
            Completion = ArgumentCompletion.Containers,
        };
        command.SetAction(result => Run(context, command.Positional(result)));
        return command;
    }

    private static int Run(CliContext context, string[] words)
    {
        ContainerId id = context.Engine.Find(words[0]);
        IReadOnlyList<PublishedPort> ports = context.Engine.PublishedPorts(id);
        if (words.Length == 1)
        {
            foreach (PublishedPort port in ports.OrderBy(static port => port.ContainerPort).ThenBy(static port => port.Protocol, StringComparer.Ordinal))
            {
                context.Output.WriteLine($"{port.Container} -> {port.Host}");
            }

            return 0;
        }

        PublishedPort[] found = [.. ports.Where(port => port.Container == Parse(words[1]))];
        if (found.Length == 0)
        {
            throw EngineException.NotFound($"no public port '{words[1]}' published for {words[0]}");
        }

        foreach (PublishedPort port in found)
        {
            context.Output.WriteLine(port.Host);
        }

        return 0;
    }

    private static string Parse(string text)
    {
        try
        {
            return PortRule.ParseExposed(text)[0];
        }
        catch (NetworkException e)
        {
            throw EngineException.Invalid(e.Message, e);
        }
    }
}
