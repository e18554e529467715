using System.Buffers;
using System.Diagnostics;
using System.Text.Json;
using Hull.Cli.Parsing;
using Hull.Linux;
using Hull.Runtime;
using Hull.Runtime.Bundles;
using Hull.Runtime.Cgroups;
using Microsoft.Win32.SafeHandles;

namespace Hull.Cli.Runtime;

/// <summary><c>hull runtime events</c>: what a container uses, a line of JSON each interval, and a line when memory runs out; until it ends.</summary>
internal static class RuntimeEvents
{
    private const string DefaultInterval = "5s";

    /// <summary>How often and how far apart the kills are counted once the kernel has told that memory ran out.</summary>
    private const int Looks = 50;
    private const int LookMilliseconds = 10;

    public static void Run(RuntimeArguments parsed, BundleRuntime runtime)
    {
        string text = parsed.Option("--interval") ?? DefaultInterval;
        if (!Quantity.TryParseDuration(text, out TimeSpan interval) || interval <= TimeSpan.Zero)
        {
            throw new ContainerException(ContainerFault.Engine, $"--interval {text}: expected a duration above zero such as 5s or 100ms");
        }

        (ContainerState state, string status) = runtime.Find(parsed.Id);
        if (status == "stopped")
        {
            throw new ContainerException(ContainerFault.Engine, $"container with id {parsed.Id} is not running");
        }

        using ContainerCgroup cgroup = runtime.CgroupOf(state);
        if (parsed.Has("--stats"))
        {
            WriteStats(parsed.Id, cgroup);
            return;
        }

        using SafeFileHandle? process = PidFd.TryOpen(state.Pid);
        if (process is not null)
        {
            Follow(parsed.Id, cgroup, process, interval);
        }
    }

    private static void Follow(string id, ContainerCgroup cgroup, SafeFileHandle process, TimeSpan interval)
    {
        using OomWatch? memory = cgroup.WatchOom();
        PollEvents wanted = memory?.IsPriority == true ? PollEvents.Priority : PollEvents.Readable;
        Span<PollEntry> entries = [new(process, PollEvents.Readable), new(memory?.Handle, wanted)];
        ulong kills = memory?.Read() ?? 0;
        Stopwatch clock = Stopwatch.StartNew();
        TimeSpan next = interval;
        int looks = 0;
        while (true)
        {
            int wait = (int)Math.Clamp(Math.Ceiling((next - clock.Elapsed).TotalMilliseconds), 0, int.MaxValue);
            int ready = Poll.Wait(entries, looks > 0 ? Math.Min(wait, LookMilliseconds) : wait);
            if (ready > 0 && (entries[1].Came & wanted) != 0)
            {
                memory!.Read();
                looks = Looks;
            }

            // v1 wakes when the limit is hit, before the kill, and when the cgroup goes; v2 at any change of the file: the count decides.
            ulong now = cgroup.OomKills();
            if (now > kills)
            {
                Write("oom", id, static _ => { });
                kills = now;
            }

            looks = Math.Max(looks - 1, 0);

            if (ready > 0 && entries[0].Came != 0)
            {
                return;
            }

            if (clock.Elapsed >= next)
            {
                WriteStats(id, cgroup);
                next = clock.Elapsed + interval;
            }
        }
    }

    private static void WriteStats(string id, ContainerCgroup cgroup)
    {
        CgroupStats stats = cgroup.DetailedStats();
        Write("stats", id, json =>
        {
            json.WritePropertyName("data"u8);
            RuntimeStats.Write(json, stats);
        });
    }

    private static void Write(string type, string id, Action<Utf8JsonWriter> data)
    {
        ArrayBufferWriter<byte> line = new(4096);
        using (Utf8JsonWriter json = new(line))
        {
            json.WriteStartObject();
            json.WriteString("type"u8, type);
            json.WriteString("id"u8, id);
            data(json);
            json.WriteEndObject();
        }

        line.Write("\n"u8);
        using SafeFileHandle output = new(1, ownsHandle: false);
        Files.Write(output, line.WrittenSpan);
    }
}
