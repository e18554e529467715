using System.CommandLine;
using Hull.Cli.Parsing;
using Hull.Networking.Endpoints;

namespace Hull.Cli.Commands.Networks;

/// <summary><c>hull network connect</c>.</summary>
internal static class NetworkConnectCommand
{
    public static HullCommand Create(CliContext context)
    {
        Option<string[]?> alias = Flags.List("--alias", "Add network-scoped alias for the container", type: "strings");
        Option<string[]?> driverOption = Flags.List("--driver-opt", "driver options for the network", type: "strings");
        Option<string?> priority = Flags.Text("--gw-priority", "int", "Highest gw-priority provides the default gateway. Accepts positive and negative values.");
        Option<string?> ip = Flags.Text("--ip", "string", "IPv4 address (e.g., \"172.30.100.104\")");
        Option<string?> ip6 = Flags.Text("--ip6", "string", "IPv6 address (e.g., \"2001:db8::33\")");
        Option<string[]?> link = Flags.List("--link", "Add link to another container");
        HullCommand command = new("network connect", "[OPTIONS] NETWORK CONTAINER", "Connect a container to a network", 2, 2) { Completion = ArgumentCompletion.Networks };
        foreach (Option option in (ReadOnlySpan<Option>)[alias, driverOption, priority, ip, ip6, link])
        {
            command.Add(option);
        }

        command.SetAction(result =>
        {
            string[] words = command.Positional(result);
            context.Engine.Connect(words[0], context.Engine.Find(words[1]), new EndpointSettings
            {
                Network = words[0],
                NetworkName = words[0],
                IPv4 = result.TextOf(ip),
                IPv6 = result.TextOf(ip6),
                Aliases = result.ListOf(alias),
                Links = result.ListOf(link),
                Options = KeyValues.Map(result.ListOf(driverOption)),
                GatewayPriority = (int)(result.IntegerOf(priority, int.MinValue, int.MaxValue) ?? 0),
            });
            return 0;
        });
        return command;
    }

    /// <summary><c>hull network disconnect</c>.</summary>
    public static HullCommand CreateDisconnect(CliContext context)
    {
        Option<bool?> force = Flags.Switch("--force", "Force the container to disconnect from a network", "-f");
        HullCommand command = new("network disconnect", "[OPTIONS] NETWORK CONTAINER", "Disconnect a container from a network", 2, 2) { Completion = ArgumentCompletion.Networks };
        command.Add(force);
        command.SetAction(result =>
        {
            string[] words = command.Positional(result);
            context.Engine.Disconnect(words[0], context.Engine.Find(words[1]), result.IsOn(force));
            return 0;
        });
        return command;
    }
}
