using System.Globalization;

namespace Hull.Kernel.Tests.Harness;

/// <summary>The processes of hull on this machine.</summary>
public static class HullProcesses
{
    private const string Namespace = "ns/net";

    /// <summary>Those of the binary under test and, by their name, monitors in this process's network namespace: a monitor's program has
    /// no path.</summary>
    public static IEnumerable<int> All() => Pids(static directory => IsOurs(directory)
        || (LinkTarget($"{directory}/exe") is string program && (program == Repository.Hull || program.StartsWith("/memfd:hull", StringComparison.Ordinal))));

    /// <summary>Commands and monitors in this process's network namespace, which is this suite's own.</summary>
    public static IEnumerable<int> InOwnNetwork() => Pids(IsOurs);

    /// <summary>What a process was called with.</summary>
    public static string CommandLine(int pid) =>
        Read(string.Create(CultureInfo.InvariantCulture, $"/proc/{pid}/cmdline"))?.Replace('\0', ' ') ?? "ended";

    private static IEnumerable<int> Pids(Func<string, bool> wanted)
    {
        foreach (string directory in Directory.EnumerateDirectories("/proc"))
        {
            if (int.TryParse(Path.GetFileName(directory), CultureInfo.InvariantCulture, out int pid) && pid != Environment.ProcessId && wanted(directory))
            {
                yield return pid;
            }
        }
    }

    private static bool IsOurs(string directory) =>
        Read($"{directory}/comm") is "hull" or "hull-monitor" && LinkTarget($"{directory}/{Namespace}") == LinkTarget($"/proc/self/{Namespace}");

    private static string? Read(string file)
    {
        try
        {
            return File.ReadAllText(file).TrimEnd('\n');
        }
        catch (IOException)
        {
            // The process has ended.
            return null;
        }
    }

    private static string? LinkTarget(string path)
    {
        try
        {
            return new FileInfo(path).LinkTarget;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // The process has ended.
            return null;
        }
    }
}
