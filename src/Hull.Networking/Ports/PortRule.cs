using System.Globalization;
using System.Net;
using Hull.Networking.Addresses;
using Hull.Oci;

namespace Hull.Networking.Ports;

/// <summary>What <c>-p</c> asks for, of one container port: <c>[[ADDRESS:]HOST[-HOST]:]CONTAINER[/PROTOCOL]</c>.</summary>
/// <param name="ContainerPort">1 to 65535.</param>
/// <param name="Protocol"><c>tcp</c>, <c>udp</c> or <c>sctp</c>.</param>
/// <param name="HostAddress">Null: every address of both families.</param>
/// <param name="HostPort">0: the kernel chooses.</param>
/// <param name="HostPortEnd">The end of a range from which one is chosen; <paramref name="HostPort"/> itself where there is none.</param>
public sealed record PortRule(int ContainerPort, string Protocol, IPAddress? HostAddress, int HostPort, int HostPortEnd)
{
    /// <summary>Reads a value of <c>-p</c>; a range of container ports is several rules.</summary>
    /// <exception cref="NetworkException">Invalid, with docker's words and what is expected.</exception>
    public static List<PortRule> Parse(string text)
    {
        if (text.Contains('=', StringComparison.Ordinal))
        {
            return ParseFields(text);
        }

        (string ports, string protocol) = SplitProtocol(text, text);
        (string? address, string host, string container) = SplitParts(ports, text);
        return Expand(text, ParseHostAddress(address, text), host, container, protocol);
    }

    /// <summary><c>80</c>, <c>80/udp</c>, <c>7000-7005/tcp</c>: what EXPOSE and --expose take.</summary>
    /// <returns>Each port as <c>80/tcp</c>.</returns>
    /// <exception cref="NetworkException">Invalid.</exception>
    public static List<string> ParseExposed(string text)
    {
        int first, last;
        string protocol;
        try
        {
            (string ports, protocol) = SplitProtocol(text, text);
            (first, last) = Range(ports, text, "expose");
        }
        catch (NetworkException e)
        {
            throw NetworkException.Invalid($"invalid range format for --expose: {FlagText.Printable(text)}: {e.Message}");
        }

        return [.. Enumerable.Range(first, last - first + 1).Select(port => string.Create(CultureInfo.InvariantCulture, $"{port}/{protocol}"))];
    }

    /// <summary>A number of <c>PORT/PROTOCOL</c> that was written by us.</summary>
    public static (int Port, string Protocol) Split(string exposed)
    {
        (string port, string protocol) = SplitProtocol(exposed, exposed);
        return (Number(port, exposed, "port"), protocol);
    }

    /// <summary>As docker's long form has it: <c>published=8080,target=80,protocol=tcp,mode=host</c>.</summary>
    private static List<PortRule> ParseFields(string text)
    {
        string host = "", container = "", protocol = "tcp";
        foreach (string field in text.Split(','))
        {
            string[] pair = field.Split('=', 2);
            switch (pair.Length == 2 ? pair[0].Trim() : "")
            {
                case "published":
                    host = pair[1].Trim();
                    break;
                case "target":
                    container = pair[1].Trim();
                    break;
                case "protocol":
                    protocol = SplitProtocol("1/" + pair[1].Trim(), text).Protocol;
                    break;
                case "mode" when pair[1].Trim() is "host" or "ingress":
                    break;
                default:
                    throw Invalid(text, $"field '{FlagText.Printable(field)}' is none of published, target, protocol, mode");
            }
        }

        return Expand(text, null, host, container, protocol);
    }

    private static List<PortRule> Expand(string text, IPAddress? address, string host, string container, string protocol)
    {
        if (container.Length == 0)
        {
            throw new NetworkException(NetworkError.Invalid, $"No port specified: {FlagText.Printable(text)}<empty>");
        }

        (int first, int last) = Range(container, text, "containerPort");
        // docker: host port 0 asks for any, as an empty one does.
        bool any = host is "" or "0";
        (int hostFirst, int hostLast) = any ? (0, 0) : Range(host, text, "hostPort");
        int count = last - first + 1;
        if (!any && hostLast - hostFirst + 1 != count && count > 1)
        {
            throw new NetworkException(NetworkError.Invalid, $"invalid ranges specified for container and host Ports: {FlagText.Printable(container)} and {FlagText.Printable(host)}");
        }

        List<PortRule> rules = new(count);
        for (int i = 0; i < count; i++)
        {
            rules.Add(any ? new PortRule(first + i, protocol, address, 0, 0)
                : count == 1 ? new PortRule(first, protocol, address, hostFirst, hostLast)
                : new PortRule(first + i, protocol, address, hostFirst + i, hostFirst + i));
        }

        return rules;
    }

    private static (string Ports, string Protocol) SplitProtocol(string text, string whole)
    {
        int slash = text.LastIndexOf('/');
        string protocol = slash < 0 ? "tcp" : text[(slash + 1)..].ToLowerInvariant();
        return protocol is "tcp" or "udp" or "sctp"
            ? (slash < 0 ? text : text[..slash], protocol)
            : throw Invalid(whole, $"invalid proto: {FlagText.Printable(protocol)}, expected tcp, udp or sctp");
    }

    /// <summary>Around the last two colons that are not of an IPv6 address in brackets.</summary>
    private static (string? Address, string Host, string Container) SplitParts(string text, string whole)
    {
        int containerColon = text.LastIndexOf(':');
        if (containerColon < 0)
        {
            return (null, "", text);
        }

        string container = text[(containerColon + 1)..];
        string rest = text[..containerColon];
        if (rest.StartsWith('['))
        {
            int bracket = rest.IndexOf(']', StringComparison.Ordinal);
            string behind = bracket < 0 ? "" : rest[(bracket + 1)..];
            return bracket > 0 && behind is [':', ..]
                ? (rest[1..bracket], behind[1..], container)
                : throw Invalid(whole, "an IPv6 address needs brackets, as in [::1]:8080:80");
        }

        int hostColon = rest.LastIndexOf(':');
        string address = hostColon < 0 ? "" : rest[..hostColon];
        return address.Contains(':', StringComparison.Ordinal)
            ? throw Invalid(whole, "an IPv6 address needs brackets, as in [::1]:8080:80")
            : (hostColon < 0 ? null : address, hostColon < 0 ? rest : rest[(hostColon + 1)..], container);
    }

    private static IPAddress? ParseHostAddress(string? address, string whole) => address switch
    {
        null or "" => null,
        _ when Subnet.TryParseIP(address, out IPAddress? known) => known,
        _ => throw Invalid(whole, $"invalid IP address: {FlagText.Printable(address)}"),
    };

    private static (int First, int Last) Range(string text, string whole, string what)
    {
        string[] ends = text.Split('-');
        if (ends.Length > 2)
        {
            throw Invalid(whole, $"Invalid {what}: {FlagText.Printable(text)}");
        }

        int first = Number(ends[0], whole, what);
        int last = ends.Length == 2 ? Number(ends[1], whole, what) : first;
        return last >= first ? (first, last) : throw Invalid(whole, $"Invalid {what}: {FlagText.Printable(text)}: the range is reversed, {last}-{first} is meant");
    }

    private static int Number(string text, string whole, string what) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int port) && port is >= 1 and <= 65535
            ? port
            : throw Invalid(whole, $"Invalid {what}: {FlagText.Printable(text)}: a port is a number from 1 to 65535");

    private static NetworkException Invalid(string text, string words) => new(NetworkError.Invalid, $"invalid publish '{FlagText.Printable(text)}': {words}");
}
