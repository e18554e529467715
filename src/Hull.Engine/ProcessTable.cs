using System.Globalization;
using System.Text;
using Hull.Linux;
using Hull.Oci;
using Microsoft.Win32.SafeHandles;

namespace Hull.Engine;

/// <summary>The processes of a container, as <c>ps</c> would list them.</summary>
/// <param name="Titles">The columns' heads.</param>
/// <param name="Processes">A row a process, a text a column; the last column is the command line.</param>
public sealed record ProcessList(IReadOnlyList<string> Titles, IReadOnlyList<IReadOnlyList<string>> Processes);

/// <summary>Lists processes as ps(1) does, from the host's /proc alone: nothing of a container is executed or even opened
/// (CVE-2022-1227).</summary>
public static class ProcessTable
{
    /// <summary>USER_HZ of every architecture that hull runs on (proc(5)).</summary>
    private const long TicksPerSecond = 100;

    private static readonly string[] FullColumns = ["uid", "pid", "ppid", "c", "stime", "tty", "time", "cmd"];

    /// <summary>The rows of those that still live, by ascending process id.</summary>
    /// <param name="arguments">Those of ps: none or <c>-ef</c>, <c>aux</c>, or <c>-o COLUMN,…</c> of
    /// uid, user, pid, ppid, c, stime, tty, time, cmd, args, comm, rss, vsz, stat.</param>
    /// <exception cref="EngineException">Invalid: another argument of ps.</exception>
    public static ProcessList Read(IEnumerable<int> processes, IReadOnlyList<string> arguments)
    {
        string[] columns = Columns(arguments);
        long boot = BootTime();
        List<IReadOnlyList<string>> rows = [];
        foreach (int pid in processes.Order())
        {
            if (ProcessFacts.TryRead(pid) is { } facts)
            {
                rows.Add(Array.ConvertAll(columns, column => Cell(column, facts, boot)));
            }
        }

        return new ProcessList(Array.ConvertAll(columns, Title), rows);
    }

    private static string[] Columns(IReadOnlyList<string> arguments)
    {
        if (arguments.Count == 0 || arguments is ["-ef"] or ["ef"])
        {
            return FullColumns;
        }

        if (arguments is ["aux"] or ["-aux"])
        {
            return ["user", "pid", "vsz", "rss", "tty", "stat", "stime", "time", "cmd"];
        }

        List<string> columns = [];
        for (int i = 0; i < arguments.Count; i++)
        {
            string list = arguments[i] switch
            {
                "-o" or "-eo" or "o" when i + 1 < arguments.Count => arguments[++i],
                string joined when joined.StartsWith("-o", StringComparison.Ordinal) => joined[2..],
                "-e" or "-A" => "",
                string other => throw EngineException.Invalid(
                    $"top: '{FlagText.Printable(other)}' is not supported: hull reads /proc itself and knows -ef, aux and -o COLUMN,…"),
            };
            foreach (string name in list.Split(',', StringSplitOptions.RemoveEmptyEntries))
            {
                string column = name.ToLowerInvariant();
                columns.Add(column is "uid" or "user" or "pid" or "ppid" or "c" or "stime" or "tty" or "time" or "cmd" or "args" or "comm" or "rss" or "vsz" or "stat"
                    ? column
                    : throw EngineException.Invalid($"top: unknown column '{FlagText.Printable(name)}'"));
            }
        }

        // Docker finds the rows of the container by this column; who reads its output relies on it as well.
        return columns.Contains("pid") ? [.. columns] : throw EngineException.Invalid("Couldn't find PID field in ps output");
    }

    private static string Title(string column) => column switch
    {
        "args" => "COMMAND",
        "comm" => "COMMAND",
        "tty" => "TTY",
        _ => column.ToUpperInvariant(),
    };

    private static string Cell(string column, ProcessFacts facts, long boot)
    {
        DateTimeOffset started = DateTimeOffset.FromUnixTimeSeconds(boot + (facts.StartTicks / TicksPerSecond)).ToLocalTime();
        long seconds = facts.ProcessorTicks / TicksPerSecond;
        return column switch
        {
            "uid" or "user" => facts.User,
            "pid" => facts.Pid.ToString(CultureInfo.InvariantCulture),
            "ppid" => facts.Parent.ToString(CultureInfo.InvariantCulture),
            "c" => Math.Min(99, seconds * 100 / Math.Max(1, (long)(DateTimeOffset.Now - started).TotalSeconds)).ToString(CultureInfo.InvariantCulture),
            "stime" => started.ToString(started.Date == DateTime.Today ? "HH:mm" : "MMMdd", CultureInfo.InvariantCulture),
            "tty" => facts.Terminal,
            "time" => string.Create(CultureInfo.InvariantCulture, $"{seconds / 3600:00}:{seconds / 60 % 60:00}:{seconds % 60:00}"),
            "comm" => facts.Name,
            "rss" => (facts.ResidentPages * (Environment.SystemPageSize / 1024)).ToString(CultureInfo.InvariantCulture),
            "vsz" => (facts.VirtualBytes / 1024).ToString(CultureInfo.InvariantCulture),
            "stat" => facts.State.ToString(),
            _ => facts.CommandLine,
        };
    }

    /// <summary>Seconds of the epoch at which the kernel started.</summary>
    private static long BootTime()
    {
        using SafeFileHandle file = Files.Open("/proc/stat", OpenFlags.ReadOnly);
        string text = Encoding.ASCII.GetString(Files.ReadAll(file, 16 << 20, "/proc/stat"));
        int at = text.IndexOf("\nbtime ", StringComparison.Ordinal);
        int end = at < 0 ? -1 : text.IndexOf('\n', at + 1);
        return end > 0 && long.TryParse(text.AsSpan(at + 7, end - at - 7), NumberStyles.None, CultureInfo.InvariantCulture, out long seconds) ? seconds : 0;
    }
}
