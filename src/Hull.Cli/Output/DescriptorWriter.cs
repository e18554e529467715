using System.Text;
using Hull.Linux;
using Microsoft.Win32.SafeHandles;

namespace Hull.Cli.Output;

/// <summary>Text to a file descriptor as UTF-8, with one buffer and plain write(2).</summary>
/// <remarks>Stands in for <c>System.Console</c>, whose first use sets up terminal state, signal handlers and a thread:
/// a millisecond or more of every short command. Not thread-safe. Nothing is written before <see cref="Flush"/>
/// or a full buffer.</remarks>
internal sealed class DescriptorWriter : TextWriter
{
    private const int Capacity = 16 * 1024;

    private readonly SafeFileHandle _file;
    private readonly string _name;
    private readonly bool _flushLines;
    private byte[]? _buffer;
    private int _length;

    /// <param name="descriptor">The number of an open descriptor; it is not closed.</param>
    /// <param name="name">What errors call it: <c>standard output</c>.</param>
    /// <param name="flushLines">Whether each write that ends a line goes out at once (standard error).</param>
    public DescriptorWriter(int descriptor, string name, bool flushLines)
        : base(System.Globalization.CultureInfo.InvariantCulture)
    {
        _file = new SafeFileHandle(descriptor, ownsHandle: false);
        _name = name;
        _flushLines = flushLines;
        CoreNewLine = ['\n'];
    }

    public override Encoding Encoding => Encoding.UTF8;

    public override void Write(char value) => Write(new ReadOnlySpan<char>(in value));

    public override void Write(string? value) => Write(value.AsSpan());

    public override void Write(char[] buffer, int index, int count) => Write(buffer.AsSpan(index, count));

    public override void Write(ReadOnlySpan<char> buffer)
    {
        bool endsLine = _flushLines && buffer.Contains('\n');
        while (buffer.Length > 0)
        {
            byte[] bytes = _buffer ??= new byte[Capacity];
            int part = Math.Min(buffer.Length, Capacity / 4);
            if (part < buffer.Length && char.IsHighSurrogate(buffer[part - 1]))
            {
                part--;
            }

            if (Encoding.UTF8.GetMaxByteCount(part) > Capacity - _length)
            {
                Flush();
            }

            _length += Encoding.UTF8.GetBytes(buffer[..part], bytes.AsSpan(_length));
            buffer = buffer[part..];
        }

        if (endsLine)
        {
            Flush();
        }
    }

    public override void WriteLine(string? value)
    {
        Write(value.AsSpan());
        Write('\n');
    }

    public override void WriteLine(ReadOnlySpan<char> buffer)
    {
        Write(buffer);
        Write('\n');
    }

    /// <summary>Bytes as they are, UTF-8 or not, in order with the text.</summary>
    public void Append(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length > Capacity - _length)
        {
            Flush();
        }

        if (bytes.Length > Capacity)
        {
            Files.Write(_file, bytes, _name);
            return;
        }

        bytes.CopyTo((_buffer ??= new byte[Capacity]).AsSpan(_length));
        _length += bytes.Length;
    }

    /// <exception cref="SyscallException">EPIPE where the reader has gone, ENOSPC and others as of write(2).</exception>
    public override void Flush()
    {
        int length = _length;
        _length = 0;
        if (length > 0)
        {
            Files.Write(_file, _buffer.AsSpan(0, length), _name);
        }
    }
}
