namespace Hull.Engine.Logs;

/// <summary>Cuts one stream of bytes into log entries: at line feeds, and after 16 KiB where a line is longer, as Docker
/// does. Holds the unfinished line in between. Not thread-safe.</summary>
internal sealed class LineSplitter : IDisposable
{
    /// <summary>Most bytes of one entry (Docker's copier has the same).</summary>
    public const int MaximumEntry = 16 * 1024;

    private NativeBuffer? _pending;
    private int _length;

    /// <summary>Takes an entry without its line feed.</summary>
    /// <param name="ended">The line ended here; false: its rest follows as the next entry.</param>
    public delegate void Sink(ReadOnlySpan<byte> text, bool ended);

    /// <summary>Gives every entry that is complete with these bytes; keeps what is left.</summary>
    public void Feed(ReadOnlySpan<byte> data, Sink sink)
    {
        while (data.Length > 0)
        {
            int room = MaximumEntry - _length;
            ReadOnlySpan<byte> window = data[..Math.Min(room, data.Length)];
            int end = window.IndexOf((byte)'\n');
            if (end < 0 && window.Length < room)
            {
                Keep(window);
                return;
            }

            // A full entry without a line feed is cut; the feed may be the very next byte, and then ends an empty rest.
            int take = end < 0 ? window.Length : end;
            if (_length == 0)
            {
                take = end < 0 ? WholeCharacters(window) : take;
                sink(window[..take], end >= 0);
            }
            else
            {
                Keep(window[..take]);
                ReadOnlySpan<byte> whole = _pending!.Span[.._length];
                int cut = end < 0 ? WholeCharacters(whole) : _length;
                sink(whole[..cut], end >= 0);
                whole[cut..].CopyTo(_pending.Span);
                _length -= cut;
            }

            data = data[(end < 0 ? take : take + 1)..];
        }
    }

    /// <summary>The stream has ended: gives the unfinished line, where there is one.</summary>
    public void Finish(Sink sink)
    {
        if (_length > 0)
        {
            sink(_pending!.Span[.._length], ended: false);
            _length = 0;
        }
    }

    public void Dispose() => _pending?.Dispose();

    private void Keep(ReadOnlySpan<byte> data)
    {
        _pending ??= new NativeBuffer(MaximumEntry);
        data.CopyTo(_pending.Span[_length..]);
        _length += data.Length;
    }

    /// <summary>How much of the text to take so that no UTF-8 character is cut; all of it where its end is no UTF-8.</summary>
    private static int WholeCharacters(ReadOnlySpan<byte> text)
    {
        for (int back = 1; back <= 3 && back < text.Length; back++)
        {
            byte value = text[^back];
            if ((value & 0xC0) == 0x80)
            {
                continue;
            }

            int needed = value >= 0xF0 ? 4 : value >= 0xE0 ? 3 : value >= 0xC0 ? 2 : 1;
            return needed > back ? text.Length - back : text.Length;
        }

        return text.Length;
    }
}
