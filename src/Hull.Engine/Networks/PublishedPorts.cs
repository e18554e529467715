using Hull.Engine.Containers;
using Hull.Networking.Ports;

namespace Hull.Engine.Networks;

/// <summary>Which ports a container publishes: what <c>-p</c> names, and with <c>-P</c> every other exposed port.</summary>
internal static class PublishedPorts
{
    /// <exception cref="Hull.Networking.NetworkException">Invalid: an image's EXPOSE that is none.</exception>
    public static List<PortRule> Of(ContainerConfig config)
    {
        List<PortRule> rules = [];
        foreach (string text in config.Host.Publish ?? [])
        {
            rules.AddRange(PortRule.Parse(text));
        }

        if (config.Host.PublishAll)
        {
            foreach ((int port, string protocol) in (config.Payload.ExposedPorts ?? []).Select(PortRule.Split))
            {
                if (!rules.Exists(rule => rule.ContainerPort == port && rule.Protocol == protocol))
                {
                    rules.Add(new PortRule(port, protocol, HostAddress: null, 0, 0));
                }
            }
        }

        return rules;
    }
}
