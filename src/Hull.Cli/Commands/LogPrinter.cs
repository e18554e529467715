using Hull.Cli.Output;
using Hull.Engine.Logs;

namespace Hull.Cli.Commands;

/// <summary>Writes log entries to the stream they came from, the order between the two kept.</summary>
internal sealed class LogPrinter
{
    private readonly CliContext _context;
    private readonly bool _timestamps;
    private LogStream _last = LogStream.Stdout;

    public LogPrinter(CliContext context, bool timestamps)
    {
        _context = context;
        _timestamps = timestamps;
    }

    /// <summary>Everything that is stored by now.</summary>
    public void Drain(LogReader reader)
    {
        Span<byte> time = stackalloc byte[LogTime.MaximumLength + 1];
        while (reader.TryNext(out LogEntry entry))
        {
            if (entry.Stream != _last)
            {
                Writer(_last).Flush();
                _last = entry.Stream;
            }

            TextWriter writer = Writer(_last);
            if (_timestamps)
            {
                int length = LogTime.Format(entry.Time, time, fixedWidth: true);
                time[length] = (byte)' ';
                Write(writer, time[..(length + 1)]);
            }

            Write(writer, entry.Text);
        }

        Writer(_last).Flush();
    }

    private TextWriter Writer(LogStream stream) => stream == LogStream.Stdout ? _context.Output : _context.Error;

    /// <summary>The bytes as the container wrote them, UTF-8 or not.</summary>
    private static void Write(TextWriter writer, ReadOnlySpan<byte> bytes)
    {
        if (writer is DescriptorWriter descriptor)
        {
            descriptor.Append(bytes);
        }
        else
        {
            writer.Write(System.Text.Encoding.UTF8.GetString(bytes));
        }
    }
}
