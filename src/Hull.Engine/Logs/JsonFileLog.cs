using System.Globalization;
using System.Text;
using Hull.Linux;
using Microsoft.Win32.SafeHandles;

namespace Hull.Engine.Logs;

/// <summary>Writes a container's output in Docker's json-file format, rotating by size. Not thread-safe; owned by the
/// container's monitor.</summary>
/// <remarks>Output is never held up by a log that cannot be written (a full disk): what does not fit is dropped and counted,
/// the file stays a sequence of whole lines, and the first line that fits again is preceded by one that tells the loss.
/// Nothing is synced: a power cut may take the last seconds, as with Docker.</remarks>
public sealed class JsonFileLog : IDisposable
{
    private readonly string _path;
    private readonly LogOptions _options;
    private readonly LineSplitter _stdout = new();
    private readonly LineSplitter _stderr = new();
    private readonly LineSplitter.Sink _stdoutSink;
    private readonly LineSplitter.Sink _stderrSink;
    private readonly byte[] _time = new byte[LogTime.MaximumLength];
    private int _timeLength;
    private NativeBuffer? _buffer;
    private int _buffered;
    private int _bufferedLines;
    private SafeFileHandle? _file;
    private long _size;
    private long _lostLines;
    private string? _lostWhy;

    /// <param name="path">The current file; predecessors stand beside it with <c>.1</c>, <c>.2</c> added.</param>
    /// <remarks>Opens nothing before the first output.</remarks>
    public JsonFileLog(string path, LogOptions options)
    {
        _path = path;
        _options = options;
        _stdoutSink = (text, ended) => Append(text, ended, LogStream.Stdout);
        _stderrSink = (text, ended) => Append(text, ended, LogStream.Stderr);
    }

    /// <summary>Why output could not be stored, and how many lines; null while all is well.</summary>
    public string? Trouble => _lostLines == 0 ? null : $"{_lostLines.ToString(CultureInfo.InvariantCulture)} log lines lost: {_lostWhy}";

    /// <summary>Logs output. Complete lines are in the file when this returns.</summary>
    public void Write(LogStream stream, ReadOnlySpan<byte> data, DateTime utcNow)
    {
        if (!_options.Keep || data.Length == 0)
        {
            return;
        }

        _timeLength = LogTime.Format(utcNow, _time, fixedWidth: false);
        (stream == LogStream.Stdout ? _stdout : _stderr).Feed(data, stream == LogStream.Stdout ? _stdoutSink : _stderrSink);
        Flush();
    }

    /// <summary>The payload has ended: logs the lines it left unfinished.</summary>
    public void Finish(DateTime utcNow)
    {
        if (_options.Keep)
        {
            _timeLength = LogTime.Format(utcNow, _time, fixedWidth: false);
            _stdout.Finish(_stdoutSink);
            _stderr.Finish(_stderrSink);
            Flush();
        }
    }

    public void Dispose()
    {
        _file?.Dispose();
        _buffer?.Dispose();
        _stdout.Dispose();
        _stderr.Dispose();
    }

    private void Append(ReadOnlySpan<byte> text, bool ended, LogStream stream)
    {
        int most = JsonLogLine.MaximumLength(text.Length);
        _buffer ??= new NativeBuffer(JsonLogLine.MaximumLength(LineSplitter.MaximumEntry));
        if (_buffered + most > _buffer.Capacity)
        {
            Flush();
        }

        // Rotation before the line that would be the first beyond the bound, as Docker's writer does.
        if (_options.MaximumSize > 0 && _size + _buffered >= _options.MaximumSize)
        {
            Flush();
            Rotate();
        }

        _buffered += JsonLogLine.Write(_buffer.Span[_buffered..], text, ended, stream, _time.AsSpan(0, _timeLength));
        _bufferedLines++;
    }

    private void Flush()
    {
        if (_buffered == 0)
        {
            return;
        }

        ReadOnlySpan<byte> data = _buffer!.Span[.._buffered];
        int lines = _bufferedLines;
        _buffered = 0;
        _bufferedLines = 0;
        try
        {
            Open();
        }
        catch (SyscallException error)
        {
            Lose(lines, error);
            return;
        }

        if (_lostLines == 0 || TellLoss())
        {
            Put(data, lines);
        }
        else
        {
            _lostLines += lines;
        }
    }

    /// <summary>Writes whole lines; where the disk takes a part only, the file is cut back to the last whole line.</summary>
    /// <returns>Whether all was written.</returns>
    private bool Put(ReadOnlySpan<byte> data, int lines)
    {
        int done = 0;
        while (done < data.Length)
        {
            int n = Descriptors.TryWrite(_file!, data[done..], out Errno errno);
            if (n < 0)
            {
                int whole = data[..done].LastIndexOf((byte)'\n') + 1;
                try
                {
                    Descriptors.Truncate(_file!, _size + whole, _path);
                }
                catch (SyscallException)
                {
                    // A file that cannot even be cut (EIO) keeps half a line; the reader skips what it cannot parse.
                    whole = done;
                }

                _size += whole;
                Lose(lines - data[..whole].Count((byte)'\n'), new SyscallException("write", _path, errno));
                return false;
            }

            done += n;
        }

        _size += data.Length;
        return true;
    }

    /// <summary>Writes the line that tells what was lost. False where even that does not fit.</summary>
    private bool TellLoss()
    {
        byte[] text = Encoding.UTF8.GetBytes($"hull: {Trouble}");
        byte[] line = new byte[JsonLogLine.MaximumLength(text.Length)];
        int length = JsonLogLine.Write(line, text, newLine: true, LogStream.Stderr, _time.AsSpan(0, _timeLength));
        if (!Put(line.AsSpan(0, length), 0))
        {
            return false;
        }

        _lostLines = 0;
        _lostWhy = null;
        return true;
    }

    private void Lose(int lines, SyscallException error)
    {
        _lostLines += lines;
        _lostWhy = error.Message;
        // A handle that failed may be of a file that somebody removed or of a disk that went away: open it anew next time.
        _file?.Dispose();
        _file = null;
    }

    private void Open()
    {
        if (_file is null)
        {
            _file = Files.Open(_path, OpenFlags.WriteOnly | OpenFlags.Create | OpenFlags.Append, LogMode);
            _size = (long)Files.Stat(_file, _path).Size;
        }
    }

    private void Rotate()
    {
        _file?.Dispose();
        _file = null;
        _size = 0;
        try
        {
            Files.Unlink(null, Numbered(_options.MaximumFiles - 1));
            for (int i = _options.MaximumFiles - 2; i >= 0; i--)
            {
                if (Files.TryStatAt(null, Numbered(i), followLinks: false, out Errno _) is not null)
                {
                    Files.Rename(Numbered(i), Numbered(i + 1));
                }
            }
        }
        catch (SyscallException error)
        {
            // The current file goes on growing, which is better than losing output; the next line tries again.
            _lostWhy = error.Message;
        }
    }

    private string Numbered(int index) => index == 0 ? _path : string.Create(CultureInfo.InvariantCulture, $"{_path}.{index}");

    /// <summary>0640, as Docker has it.</summary>
    private const uint LogMode = 0x1A0;
}
