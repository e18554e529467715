using System.Globalization;
using System.Text;
using System.Text.Json;
using Hull.Linux;
using Hull.Runtime;
using Microsoft.Win32.SafeHandles;

namespace Hull.Cli.Runtime;

/// <summary>The file of <c>--log</c>, from which engines read why a call failed: a line an event, in runc's two formats.</summary>
internal sealed class RuntimeLog
{
    private readonly string? _path;
    private readonly bool _json;
    private readonly bool _debug;

    private RuntimeLog(string? path, bool json, bool debug)
    {
        _path = path;
        _json = json;
        _debug = debug;
    }

    public static RuntimeLog None { get; } = new(null, false, false);

    /// <exception cref="ContainerException">A format that is not there.</exception>
    public static RuntimeLog For(RuntimeArguments parsed)
    {
        string format = parsed.Option("--log-format") ?? "text";
        return format is "text" or "json"
            ? new RuntimeLog(parsed.Option("--log"), format == "json", parsed.Has("--debug"))
            : throw new ContainerException(ContainerFault.Engine, $"unknown log-format '{format}': text and json are there");
    }

    /// <summary>Appends an error.</summary>
    public void Error(string message) => Append("error", message);

    /// <summary>Appends a warning, which standard error gets too.</summary>
    public void Warning(string message)
    {
        Append("warning", message);
        RuntimeCommand.Write(2, $"hull runtime: warning: {message}\n");
    }

    /// <summary>Appends what a call is about to do, with <c>--debug</c>.</summary>
    public void Debug(string message)
    {
        if (_debug)
        {
            Append("debug", message);
        }
    }

    private void Append(string level, string message)
    {
        if (_path is null)
        {
            return;
        }

        try
        {
            using SafeFileHandle file = Files.Open(_path, OpenFlags.WriteOnly | OpenFlags.Create | OpenFlags.Append, 0x1A4);
            Files.Write(file, Line(level, message), _path);
        }
        catch (SyscallException error)
        {
            RuntimeCommand.Write(2, $"hull runtime: --log: {error.Message}\n");
        }
    }

    private byte[] Line(string level, string message)
    {
        string time = DateTimeOffset.UtcNow.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);
        if (!_json)
        {
            string quoted = message.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal).ReplaceLineEndings("\\n");
            return Encoding.UTF8.GetBytes($"time=\"{time}\" level={level} msg=\"{quoted}\"\n");
        }

        using MemoryStream line = new();
        using (Utf8JsonWriter json = new(line))
        {
            json.WriteStartObject();
            json.WriteString("level"u8, level);
            json.WriteString("msg"u8, message);
            json.WriteString("time"u8, time);
            json.WriteEndObject();
        }

        line.WriteByte((byte)'\n');
        return line.ToArray();
    }
}
