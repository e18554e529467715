using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;

namespace Hull.Probe;

/// <summary>Prints what a process sees of itself and of the machine, one JSON object a line, each with one topic:
/// <c>{"topic":"id","uid":0,…}</c>. With arguments, prints only those topics. <c>notify TEXT</c> is another thing: it sends
/// the text to <c>NOTIFY_SOCKET</c>, as sd_notify(3) does.</summary>
/// <remarks>Runs inside a container from a bind mount. Facts come from /proc and from system calls, not from a shell, so
/// that an image needs to hold nothing.</remarks>
internal static partial class Program
{
    private static readonly (string Name, Action<Utf8JsonWriter> Write)[] Topics =
    [
        ("id", WriteId),
        ("capabilities", WriteCapabilities),
        ("security", WriteSecurity),
        ("namespaces", WriteNamespaces),
        ("descriptors", WriteDescriptors),
        ("limits", WriteLimits),
        ("mounts", WriteMounts),
        ("environment", WriteEnvironment),
        ("process", WriteProcess),
        ("links", WriteLinks),
        ("cgroups", writer => WriteLines(writer, "/proc/self/cgroup")),
    ];

    private static int Main(string[] arguments)
    {
        if (arguments is ["notify", string message])
        {
            return Notify(Environment.GetEnvironmentVariable("NOTIFY_SOCKET") ?? "", message);
        }

        foreach (string argument in arguments)
        {
            if (!Topics.Any(topic => topic.Name == argument))
            {
                Console.Error.WriteLine($"probe: no topic {argument}; there are: {string.Join(' ', Topics.Select(topic => topic.Name))}");
                return 2;
            }
        }

        using Stream output = Console.OpenStandardOutput();
        foreach ((string name, Action<Utf8JsonWriter> write) in Topics)
        {
            if (arguments.Length > 0 && !arguments.Contains(name))
            {
                continue;
            }

            using (Utf8JsonWriter writer = new(output))
            {
                writer.WriteStartObject();
                writer.WriteString("topic", name);
                write(writer);
                writer.WriteEndObject();
            }

            output.WriteByte((byte)'\n');
        }

        return 0;
    }

    private static int Notify(string path, string message)
    {
        // struct sockaddr_un: AF_UNIX, then the path with its zero byte.
        byte[] address = new byte[110];
        address[0] = 1;
        Encoding.UTF8.GetBytes(path, address.AsSpan(2));
        byte[] text = Encoding.UTF8.GetBytes(message);
        if (sendto(socket(1, 2, 0), text, (nuint)text.Length, 0, address, (uint)address.Length) == text.Length)
        {
            return 0;
        }

        Console.Error.WriteLine($"probe: NOTIFY_SOCKET={path}: errno {Marshal.GetLastPInvokeError()}");
        return 1;
    }

    private static void WriteId(Utf8JsonWriter writer)
    {
        // Uid: and Gid: are real, effective, saved, file system.
        WriteNumbers(writer, "uid", Status("Uid"));
        WriteNumbers(writer, "gid", Status("Gid"));
        WriteNumbers(writer, "groups", Status("Groups"));
        WriteLines(writer, "/proc/self/uid_map", "uidMap");
        WriteLines(writer, "/proc/self/gid_map", "gidMap");
    }

    private static void WriteCapabilities(Utf8JsonWriter writer)
    {
        writer.WriteString("inheritable", Status("CapInh"));
        writer.WriteString("permitted", Status("CapPrm"));
        writer.WriteString("effective", Status("CapEff"));
        writer.WriteString("bounding", Status("CapBnd"));
        writer.WriteString("ambient", Status("CapAmb"));
    }

    private static void WriteSecurity(Utf8JsonWriter writer)
    {
        writer.WriteNumber("noNewPrivs", int.Parse(Status("NoNewPrivs"), CultureInfo.InvariantCulture));
        writer.WriteNumber("seccomp", int.Parse(Status("Seccomp"), CultureInfo.InvariantCulture));
        writer.WriteNumber("dumpable", prctl(3 /* PR_GET_DUMPABLE */, 0, 0, 0, 0));
    }

    private static void WriteNamespaces(Utf8JsonWriter writer)
    {
        foreach (string file in Directory.EnumerateFileSystemEntries("/proc/self/ns"))
        {
            writer.WriteString(Path.GetFileName(file), new FileInfo(file).LinkTarget);
        }
    }

    private static void WriteDescriptors(Utf8JsonWriter writer)
    {
        // Asked one by one: a directory handle on /proc/self/fd would count itself.
        for (int descriptor = 0; descriptor < 1024; descriptor++)
        {
            // Without FD_CLOEXEC: it came through execve. The probe's own (its runtime's pipes) are all close-on-exec.
            if (fcntl(descriptor, 1 /* F_GETFD */) == 0)
            {
                writer.WriteString(descriptor.ToString(CultureInfo.InvariantCulture), new FileInfo($"/proc/self/fd/{descriptor}").LinkTarget);
            }
        }
    }

    private static void WriteLimits(Utf8JsonWriter writer)
    {
        foreach (string line in File.ReadLines("/proc/self/limits").Skip(1))
        {
            // Columns of fixed width: name 26, soft 21, hard 21, unit.
            writer.WriteStartObject(line[..26].Trim());
            writer.WriteString("soft", line.Substring(26, 21).Trim());
            writer.WriteString("hard", line.Substring(47, 21).Trim());
            writer.WriteEndObject();
        }
    }

    private static void WriteMounts(Utf8JsonWriter writer)
    {
        writer.WriteStartArray("mounts");
        foreach (string line in File.ReadLines("/proc/self/mountinfo"))
        {
            string[] halves = line.Split(" - ", 2);
            string[] head = halves[0].Split(' ');
            string[] tail = halves[1].Split(' ');
            writer.WriteStartObject();
            writer.WriteString("target", head[4]);
            writer.WriteString("root", head[3]);
            writer.WriteString("options", head[5]);
            writer.WriteString("propagation", string.Join(' ', head[6..]));
            writer.WriteString("type", tail[0]);
            writer.WriteString("source", tail[1]);
            writer.WriteString("superOptions", tail.Length > 2 ? tail[2] : "");
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
    }

    private static void WriteEnvironment(Utf8JsonWriter writer)
    {
        writer.WriteStartArray("variables");
        foreach (string variable in File.ReadAllText("/proc/self/environ").Split('\0', StringSplitOptions.RemoveEmptyEntries))
        {
            writer.WriteStringValue(variable);
        }

        writer.WriteEndArray();
    }

    private static void WriteProcess(Utf8JsonWriter writer)
    {
        writer.WriteNumber("pid", Environment.ProcessId);
        writer.WriteString("cwd", new FileInfo("/proc/self/cwd").LinkTarget);
        writer.WriteString("root", new FileInfo("/proc/self/root").LinkTarget);
        writer.WriteString("hostname", File.ReadAllText("/proc/sys/kernel/hostname").Trim());
        writer.WriteString("oomScoreAdjust", File.ReadAllText("/proc/self/oom_score_adj").Trim());
        writer.WriteString("umask", Status("Umask"));

        // The session, and the terminal that controls it: fields 6 and 7 of stat, after the name in brackets.
        string[] fields = File.ReadAllText("/proc/self/stat").Split(") ", 2)[1].Split(' ');
        writer.WriteString("session", fields[3]);
        writer.WriteString("terminal", fields[4]);
    }

    private static void WriteLinks(Utf8JsonWriter writer)
    {
        writer.WriteStartArray("names");
        foreach (string line in File.ReadLines("/proc/net/dev").Skip(2))
        {
            writer.WriteStringValue(line.Split(':')[0].Trim());
        }

        writer.WriteEndArray();
    }

    private static void WriteLines(Utf8JsonWriter writer, string path, string name = "lines")
    {
        writer.WriteStartArray(name);
        foreach (string line in File.ReadLines(path))
        {
            writer.WriteStringValue(line);
        }

        writer.WriteEndArray();
    }

    private static void WriteNumbers(Utf8JsonWriter writer, string name, string text)
    {
        writer.WriteStartArray(name);
        foreach (string number in text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries))
        {
            writer.WriteNumberValue(long.Parse(number, CultureInfo.InvariantCulture));
        }

        writer.WriteEndArray();
    }

    /// <summary>A field of /proc/self/status.</summary>
    private static string Status(string field) =>
        File.ReadLines("/proc/self/status").First(line => line.StartsWith(field + ":", StringComparison.Ordinal))[(field.Length + 1)..].Trim();

    [LibraryImport("libc")]
    private static partial int prctl(int option, nuint argument2, nuint argument3, nuint argument4, nuint argument5);

    [LibraryImport("libc")]
    private static partial int socket(int family, int type, int protocol);

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint sendto(int socket, byte[] data, nuint length, int flags, byte[] address, uint addressLength);

    [LibraryImport("libc")]
    private static partial int fcntl(int descriptor, int command);
}
