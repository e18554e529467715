using System.Globalization;
using Hull.Linux;
using Hull.Runtime;

namespace Hull.Cli.Runtime;

/// <summary>Descriptors that the caller of <c>hull runtime</c> hands on to the payload: those of socket activation, then
/// <c>--preserve-fds</c>.</summary>
internal static class InheritedDescriptors
{
    private const int First = 3;
    private const int Most = 1024;

    /// <summary>How many sockets a service manager passed to this process: LISTEN_FDS, where LISTEN_PID names it (sd_listen_fds(3)).</summary>
    public static int Activated()
    {
        string? process = Environment.GetEnvironmentVariable("LISTEN_PID");
        string? count = Environment.GetEnvironmentVariable("LISTEN_FDS");
        return process == Environment.ProcessId.ToString(CultureInfo.InvariantCulture) && count is { Length: > 0 } ? Number("LISTEN_FDS", count) : 0;
    }

    /// <summary>How many descriptors from 3 on the payload gets.</summary>
    /// <exception cref="ContainerException">Not a number, or one of them was not given to this process: under its number could be a
    /// descriptor of our own, which must not get into a container.</exception>
    public static int Count(RuntimeArguments parsed, int activated)
    {
        int count = activated + (parsed.Option("--preserve-fds") is { } text ? Number("--preserve-fds", text) : 0);
        for (int fd = First; fd < First + count; fd++)
        {
            if (!Descriptors.IsInherited(fd))
            {
                throw new ContainerException(ContainerFault.Engine, $"--preserve-fds: descriptor {fd} is not open (of {count} from {First} on)");
            }
        }

        return count;
    }

    private static int Number(string name, string text) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int count) && count <= Most
            ? count
            : throw new ContainerException(ContainerFault.Engine, $"{name} {text}: not a number from 0 to {Most}");
}
