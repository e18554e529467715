using System.Globalization;
using System.Text.Json;
using Hull.Linux;
using Microsoft.Win32.SafeHandles;

namespace Hull.Engine.Logs;

/// <summary>Reads a json-file log from its oldest file to the end of the current one, across rotations that happen
/// meanwhile. Not thread-safe.</summary>
/// <remarks>Rotation renames files, so an open file is known by its inode: when the current one ends and the name means
/// another file by now, the reader finds its own among the numbered ones and goes on with the next younger. Lines that do
/// not parse (a torn write) are skipped.</remarks>
public sealed class LogReader : IDisposable
{
    /// <summary>Files beyond this number are not looked for (LogOptions allows no more).</summary>
    private const int MaximumFiles = 1000;

    private readonly string _path;
    private readonly LogQuery _query;
    private byte[] _buffer = new byte[64 * 1024];
    private int _start;
    private int _end;
    private byte[] _text = new byte[1024];
    private SafeFileHandle? _file;
    private ulong _inode;
    private long _offset;

    /// <param name="path">The current log file; it need not exist yet.</param>
    public LogReader(string path, LogQuery query)
    {
        _path = path;
        _query = query;
        if (query.Tail is long tail)
        {
            SeekTail(tail);
        }
        else
        {
            OpenNumber(OldestNumber());
        }
    }

    /// <summary>The entry after Until was seen: nothing more can come, a follower stops.</summary>
    public bool PastEnd { get; private set; }

    /// <summary>The next entry that the query wants. False at the end of what is stored now; a later call goes on there.</summary>
    public bool TryNext(out LogEntry entry)
    {
        while (!PastEnd && TryLine(out ReadOnlySpan<byte> line))
        {
            if (!TryParse(line, out entry))
            {
                continue;
            }

            if (_query.Until is DateTime until && entry.Time > until)
            {
                PastEnd = true;
                break;
            }

            if ((_query.Since is not DateTime since || entry.Time >= since) && (entry.Stream == LogStream.Stdout ? _query.Stdout : _query.Stderr))
            {
                return true;
            }
        }

        entry = default;
        return false;
    }

    public void Dispose() => _file?.Dispose();

    /// <summary>The next whole line, without its line feed.</summary>
    private bool TryLine(out ReadOnlySpan<byte> line)
    {
        int searched = 0;
        while (true)
        {
            int length = _buffer.AsSpan(_start + searched, _end - _start - searched).IndexOf((byte)'\n');
            if (length >= 0)
            {
                line = _buffer.AsSpan(_start, searched + length);
                _start += searched + length + 1;
                return true;
            }

            searched = _end - _start;
            ulong inode = _inode;
            if (!Fill())
            {
                line = default;
                return false;
            }

            // The next file begins with a new line; an unfinished one of the last was dropped.
            searched = inode == _inode ? searched : 0;
        }
    }

    /// <summary>Reads on; false where nothing more is stored now.</summary>
    private bool Fill()
    {
        if (_file is null && !OpenNumber(OldestNumber()))
        {
            return false;
        }

        if (_start > 0)
        {
            _buffer.AsSpan(_start, _end - _start).CopyTo(_buffer);
            _end -= _start;
            _start = 0;
        }

        if (_end == _buffer.Length)
        {
            Array.Resize(ref _buffer, _buffer.Length * 2);
        }

        while (true)
        {
            int n = Descriptors.ReadAt(_file!, _buffer.AsSpan(_end), _offset, _path);
            if (n > 0)
            {
                _offset += n;
                _end += n;
                return true;
            }

            int? next = NextNumber();
            // The writer may have added to our file between the read above and its rotation: read once more before leaving it.
            if (next is null)
            {
                return false;
            }

            n = Descriptors.ReadAt(_file!, _buffer.AsSpan(_end), _offset, _path);
            if (n > 0)
            {
                _offset += n;
                _end += n;
                return true;
            }

            // A line that the old file does not finish will not be finished.
            _end = _start;
            if (!OpenNumber(next.Value))
            {
                return false;
            }
        }
    }

    /// <summary>The number of the file that follows ours; null while ours is the current one.</summary>
    private int? NextNumber()
    {
        for (int number = 0; number < MaximumFiles; number++)
        {
            if (Files.TryStatAt(null, Name(number), followLinks: true, out Errno _) is not FileMetadata file)
            {
                if (number == 0)
                {
                    // Between the renames of a rotation there is no current file for a moment, or no log any more.
                    continue;
                }

                // Ours was removed by more than one rotation: go on with the oldest that is left.
                return number > 1 ? number - 1 : Exists(0) ? 0 : null;
            }

            if (file.Inode == _inode)
            {
                return number == 0 ? null : Exists(number - 1) ? number - 1 : null;
            }
        }

        return null;
    }

    private bool Exists(int number) => Files.TryStatAt(null, Name(number), followLinks: true, out Errno _) is not null;

    private int OldestNumber()
    {
        int number = 0;
        while (number < MaximumFiles && Exists(number + 1))
        {
            number++;
        }

        return number;
    }

    private bool OpenNumber(int number)
    {
        SafeFileHandle? file = Files.TryOpenAt(null, Name(number), OpenFlags.ReadOnly, 0, out Errno errno);
        if (file is null)
        {
            return errno == Errno.ENOENT ? false : throw new SyscallException("open", Name(number), errno);
        }

        _file?.Dispose();
        _file = file;
        _inode = Files.Stat(file, _path).Inode;
        _offset = 0;
        _start = _end = 0;
        return true;
    }

    /// <summary>Counts entries from the end backwards, block by block and file by file, and starts at the one wanted.</summary>
    private void SeekTail(long tail)
    {
        byte[] block = new byte[64 * 1024];
        int oldest = OldestNumber();
        for (int number = 0; number <= oldest; number++)
        {
            if (!OpenNumber(number))
            {
                continue;
            }

            long size = (long)Files.Stat(_file!, _path).Size;
            if (tail == 0)
            {
                _offset = size;
                return;
            }

            // The line feed at the very end of a file ends its last entry and starts none.
            long position = size;
            while (position > 0)
            {
                int length = (int)Math.Min(block.Length, position);
                position -= length;
                ReadOnlySpan<byte> data = block.AsSpan(0, Descriptors.ReadAt(_file!, block.AsSpan(0, length), position, _path));
                for (int feed = data.LastIndexOf((byte)'\n'); feed >= 0; feed = data[..feed].LastIndexOf((byte)'\n'))
                {
                    if (position + feed + 1 < size && --tail == 0)
                    {
                        _offset = position + feed + 1;
                        return;
                    }
                }
            }

            if (size > 0 && --tail == 0)
            {
                return;
            }
        }
    }

    private bool TryParse(ReadOnlySpan<byte> line, out LogEntry entry)
    {
        entry = default;
        int textLength = 0;
        LogStream stream = 0;
        DateTime time = default;
        if (_text.Length < line.Length)
        {
            _text = new byte[line.Length * 2];
        }

        try
        {
            Utf8JsonReader json = new(line);
            while (json.Read())
            {
                if (json.TokenType != JsonTokenType.PropertyName || json.CurrentDepth != 1)
                {
                    continue;
                }

                if (json.ValueTextEquals("log"u8))
                {
                    json.Read();
                    textLength = json.CopyString(_text);
                }
                else if (json.ValueTextEquals("stream"u8))
                {
                    json.Read();
                    stream = json.ValueTextEquals("stdout"u8) ? LogStream.Stdout : json.ValueTextEquals("stderr"u8) ? LogStream.Stderr : 0;
                }
                else if (json.ValueTextEquals("time"u8))
                {
                    json.Read();
                    if (!LogTime.TryParse(json.ValueSpan, out time))
                    {
                        return false;
                    }
                }
            }
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException)
        {
            // InvalidOperationException: a member of another type than the format's.
            return false;
        }

        if (stream == 0)
        {
            return false;
        }

        entry = new LogEntry { Stream = stream, Time = time, Text = _text.AsSpan(0, textLength) };
        return true;
    }

    private string Name(int number) => number == 0 ? _path : string.Create(CultureInfo.InvariantCulture, $"{_path}.{number}");
}
