using System.CommandLine;
using Hull.Cli.Parsing;
using Hull.Engine;
using Hull.Networking.Records;

namespace Hull.Cli.Commands.Networks;

/// <summary><c>hull network create</c>: records a network; its links come with its first container.</summary>
internal static class NetworkCreateCommand
{
    public static HullCommand Create(CliContext context)
    {
        Option<bool?> attachable = Flags.Switch("--attachable", "Enable manual container attachment");
        Option<string[]?> auxiliary = Flags.List("--aux-address", "Auxiliary IPv4 or IPv6 addresses used by Network driver", type: "map");
        Option<string?> driver = Flags.Text("--driver", "string", "Driver to manage the Network (bridge, macvlan or ipvlan)", "-d");
        Option<string[]?> gateway = Flags.List("--gateway", "IPv4 or IPv6 Gateway for the master subnet", type: "strings");
        Option<bool?> isInternal = Flags.Switch("--internal", "Restrict external access to the network");
        Option<string[]?> range = Flags.List("--ip-range", "Allocate container ip from a sub-range", type: "strings");
        Option<string?> ipamDriver = Flags.Text("--ipam-driver", "string", "IP Address Management Driver (default \"default\")");
        Option<string[]?> ipamOption = Flags.List("--ipam-opt", "Set IPAM driver specific options", type: "map");
        Option<bool?> ipv4 = Flags.Switch("--ipv4", "Enable or disable IPv4 address assignment");
        Option<bool?> ipv6 = Flags.Switch("--ipv6", "Enable or disable IPv6 address assignment");
        Option<string[]?> label = Flags.List("--label", "Set metadata on a network");
        Option<string[]?> option = Flags.List("--opt", "Set driver specific options", "-o", "map");
        Option<string?> scope = Flags.Text("--scope", "string", "Control the network's scope");
        Option<string[]?> subnet = Flags.List("--subnet", "Subnet in CIDR format that represents a network segment", type: "strings");
        HullCommand command = new("network create", "[OPTIONS] NETWORK", "Create a network", 1, 1);
        foreach (Option one in (ReadOnlySpan<Option>)[attachable, auxiliary, driver, gateway, isInternal, range, ipamDriver, ipamOption, ipv4, ipv6, label, option, scope, subnet])
        {
            command.Add(one);
        }

        command.SetAction(result =>
        {
            EngineException.ThrowUnsupportedIf(result.TextOf(ipamDriver) is not null and not "default", "--ipam-driver: hull has the default one alone");
            EngineException.ThrowUnsupportedIf(result.ListOf(ipamOption) is not null, "--ipam-opt: the default IPAM driver has no options");
            EngineException.ThrowUnsupportedIf(result.TextOf(scope) is not null and not "local", "--scope: networks of hull's are local");
            NetworkConfig made = context.Engine.CreateNetwork(new NetworkRequest
            {
                Name = command.Positional(result)[0],
                Driver = result.TextOf(driver) ?? NetworkDrivers.Bridge,
                Subnets = Split(result.ListOf(subnet)),
                Ranges = Split(result.ListOf(range)),
                Gateways = Split(result.ListOf(gateway)),
                Auxiliary = KeyValues.Map(result.ListOf(auxiliary)),
                Internal = result.IsOn(isInternal),
                EnableIPv4 = result.GetValue(ipv4),
                EnableIPv6 = result.GetValue(ipv6),
                Attachable = result.IsOn(attachable),
                Options = KeyValues.Map(result.ListOf(option)),
                Labels = KeyValues.Labels(null, result.ListOf(label)),
            });
            context.Output.WriteLine(made.Id);
            return 0;
        });
        return command;
    }

    /// <summary>docker takes these flags several times, or once with commas.</summary>
    private static string[] Split(string[]? values) => [.. (values ?? []).SelectMany(static value => value.Split(','))];
}
