using System.Globalization;
using System.Text;
using Hull.Linux;
using Hull.Oci;
using Microsoft.Win32.SafeHandles;

namespace Hull.Engine;

/// <summary>One process as /proc/PID shows it (proc(5)).</summary>
internal sealed record ProcessFacts
{
    private const int LongestCommand = 1 << 20;

    public required int Pid { get; init; }
    public required int Parent { get; init; }
    public required char State { get; init; }
    public required string Name { get; init; }
    /// <summary>The host's name for the user, else the number.</summary>
    public required string User { get; init; }
    public required string Terminal { get; init; }
    /// <summary>The arguments, control characters as <c>?</c>; the bracketed name where there are none.</summary>
    public required string CommandLine { get; init; }
    /// <summary>User and system time.</summary>
    public required long ProcessorTicks { get; init; }
    /// <summary>After boot.</summary>
    public required long StartTicks { get; init; }
    public required long ResidentPages { get; init; }
    public required long VirtualBytes { get; init; }

    /// <summary>Null where it has ended.</summary>
    public static ProcessFacts? TryRead(int pid)
    {
        string directory = string.Create(CultureInfo.InvariantCulture, $"/proc/{pid}");
        if (ProcessStat.TryRead(pid) is not { } stat || Files.TryStatAt(null, directory, followLinks: false, out _) is not { } owner)
        {
            return null;
        }

        string name = FlagText.Printable(stat.Name);
        return new ProcessFacts
        {
            Pid = pid,
            Parent = stat.ParentId,
            State = stat.State,
            Name = name,
            User = UserName(owner.UserId),
            Terminal = Terminals(stat.Terminal),
            CommandLine = Arguments(directory) ?? $"[{name}]",
            ProcessorTicks = stat.ProcessorTicks,
            StartTicks = (long)stat.StartTicks,
            VirtualBytes = stat.VirtualBytes,
            ResidentPages = stat.ResidentPages,
        };
    }

    private static string? Arguments(string directory)
    {
        if (ReadText(directory + "/cmdline") is not { Length: > 0 } text)
        {
            return null;
        }

        return string.Create(text.TrimEnd('\0').Length, text, static (span, source) =>
        {
            for (int i = 0; i < span.Length; i++)
            {
                span[i] = source[i] == '\0' ? ' ' : char.IsControl(source[i]) ? '?' : source[i];
            }
        });
    }

    /// <summary>tty_nr of proc(5): a device number; 136 to 143 are the pseudo terminals.</summary>
    private static string Terminals(long device)
    {
        long major = device >> 8 & 0xfff;
        long minor = (device & 0xff) | (device >> 12 & 0xfff00);
        return device == 0 ? "?"
            : major is >= 136 and <= 143 ? string.Create(CultureInfo.InvariantCulture, $"pts/{((major - 136) << 20) + minor}")
            : string.Create(CultureInfo.InvariantCulture, $"tty{minor}");
    }

    private static string UserName(uint uid)
    {
        if (uid == 0)
        {
            return "root";
        }

        string number = uid.ToString(CultureInfo.InvariantCulture);
        foreach (string line in (ReadText("/etc/passwd") ?? "").Split('\n'))
        {
            string[] fields = line.Split(':');
            if (fields.Length > 2 && fields[2] == number)
            {
                return fields[0];
            }
        }

        return number;
    }

    private static string? ReadText(string path)
    {
        try
        {
            using SafeFileHandle? file = Files.TryOpenAt(null, path, OpenFlags.ReadOnly, 0, out _);
            return file is null ? null : Encoding.UTF8.GetString(Files.ReadAll(file, LongestCommand, path));
        }
        catch (Exception e) when (e is SyscallException { Errno: Errno.ESRCH } or InvalidDataException)
        {
            // Ended while it was read; or a megabyte of arguments, which nobody reads in a table.
            return null;
        }
    }
}
