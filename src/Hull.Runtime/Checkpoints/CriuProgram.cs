using System.Text;
using Hull.Linux;
using Hull.Runtime.Init;
using Microsoft.Win32.SafeHandles;

namespace Hull.Runtime.Checkpoints;

/// <summary>Runs criu(8), by its command line.</summary>
internal static class CriuProgram
{
    private const int LargestLog = 64 << 20;
    private const int MostLines = 3;

    /// <summary>The descriptors that a restored container's streams come from begin here.</summary>
    public const int FirstStream = 3;

    /// <summary>Runs it to its end.</summary>
    /// <param name="program">Where it is; null: on PATH.</param>
    /// <param name="arguments">argv, the verb second.</param>
    /// <param name="streams">Passed on from <see cref="FirstStream"/>.</param>
    /// <param name="log">What it writes; the errors in it become the message.</param>
    /// <exception cref="ContainerException">It is not there, or it failed.</exception>
    public static void Run(string? program, IReadOnlyList<string> arguments, IReadOnlyList<SafeFileHandle> streams, string log)
    {
        string path = Find(program);
        using SafeFileHandle nothing = Files.Open("/dev/null", OpenFlags.ReadWrite);
        int pid = ProcessSpawn.Start(new SpawnRequest
        {
            Program = path,
            Arguments = arguments,
            // It calls ip, iptables and tar.
            Environment = ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"],
            Descriptors = [new(nothing, 0), new(nothing, 1), new(nothing, 2), .. streams.Select((stream, i) => new PassedDescriptor(stream, FirstStream + i))],
        });
        // A child of ours that nobody has reaped: it is there to be opened, running or not.
        using SafeFileHandle process = PidFd.TryOpen(pid)!;
        ProcessExit exit = PidFd.Reap(process, wait: true)!.Value;
        if (exit.ShellCode != 0)
        {
            throw new ContainerException(ContainerFault.Engine, $"criu {arguments[1]} failed with status {exit.ShellCode}{Reasons(log)} (all of it is in {log})");
        }
    }

    private static string Find(string? program)
    {
        if (program is { Length: > 0 } && program.Contains('/', StringComparison.Ordinal))
        {
            return program;
        }

        string name = program is { Length: > 0 } ? program : "criu";
        return ExecutableSearch.Candidates(name, environment: null).FirstOrDefault(File.Exists)
            ?? throw new ContainerException(ContainerFault.Engine, $"{name} is not installed: checkpoints are made by it (Debian's package criu, or --criu PATH)");
    }

    /// <summary>The first errors of a log: <c>(00.048) Error (criu/mount.c:12): words</c>. Those after them are consequences.</summary>
    private static string Reasons(string log)
    {
        using SafeFileHandle? file = Files.TryOpenAt(null, log, OpenFlags.ReadOnly, 0, out _);
        if (file is null)
        {
            return "";
        }

        IEnumerable<string> errors = Encoding.UTF8.GetString(Files.ReadAll(file, LargestLog, log)).Split('\n')
            // A helper that criu tries and does without.
            .Where(line => line.Contains("Error (", StringComparison.Ordinal) && !line.Contains("exited, status=", StringComparison.Ordinal))
            .Select(line => line[(line.IndexOf("): ", StringComparison.Ordinal) is var at and >= 0 ? at + 3 : 0)..])
            .Take(MostLines);
        return string.Concat(errors.Select(error => $": {error}"));
    }
}
