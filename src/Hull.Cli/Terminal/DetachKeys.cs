using Hull.Engine;

namespace Hull.Cli.Terminal;

/// <summary>Finds the key sequence that leaves an attached container running (<c>--detach-keys</c>, Ctrl-P Ctrl-Q) in what is
/// typed, however it is cut into reads.</summary>
/// <remarks>Bytes that could begin the sequence are held back until the next ones decide.</remarks>
internal sealed class DetachKeys
{
    public const string Default = "ctrl-p,ctrl-q";

    private readonly byte[] _sequence;
    private int _matched;

    private DetachKeys(byte[] sequence) => _sequence = sequence;

    /// <summary>Comma-separated keys: one character each, or <c>ctrl-</c> with a letter or one of <c>@ [ \ ] ^ _</c>.
    /// Null means the default, an empty text no sequence at all.</summary>
    /// <exception cref="EngineException">Not such a list.</exception>
    public static DetachKeys Parse(string? text)
    {
        string keys = text ?? Default;
        if (keys.Length == 0)
        {
            return new DetachKeys([]);
        }

        List<byte> sequence = [];
        foreach (string key in keys.Split(','))
        {
            int code = key.Length == 1 && key[0] < 0x80 ? key[0]
                : key.Length == 6 && key.StartsWith("ctrl-", StringComparison.OrdinalIgnoreCase) ? Control(char.ToLowerInvariant(key[5]))
                : -1;
            if (code < 0)
            {
                throw EngineException.Invalid($"invalid detach keys ({keys}): unknown character: '{key}' (keys are single characters or ctrl- with a letter or one of @ [ \\ ] ^ _)");
            }

            sequence.Add((byte)code);
        }

        return new DetachKeys([.. sequence]);
    }

    /// <summary>Passes input on but for the sequence.</summary>
    /// <param name="output">Room for as many bytes as the input and the sequence together.</param>
    /// <param name="length">Bytes written there.</param>
    /// <returns>True where the sequence was typed; what follows it is dropped.</returns>
    public bool Filter(ReadOnlySpan<byte> input, Span<byte> output, out int length)
    {
        length = 0;
        foreach (byte key in input)
        {
            while (_sequence.Length > 0 && key != _sequence[_matched] && _matched > 0)
            {
                // What was held is not the sequence after all, but an end of it may still be the beginning.
                int kept = Overlap(_matched);
                _sequence.AsSpan(0, _matched - kept).CopyTo(output[length..]);
                length += _matched - kept;
                _matched = kept;
            }

            if (_sequence.Length == 0 || key != _sequence[_matched])
            {
                output[length++] = key;
                continue;
            }

            _matched++;
            if (_matched == _sequence.Length)
            {
                _matched = 0;
                return true;
            }
        }

        return false;
    }

    /// <summary>Longest shorter beginning of the sequence that is also an end of its first bytes.</summary>
    private int Overlap(int matched)
    {
        for (int shorter = matched - 1; shorter > 0; shorter--)
        {
            if (_sequence.AsSpan(0, shorter).SequenceEqual(_sequence.AsSpan(matched - shorter, shorter)))
            {
                return shorter;
            }
        }

        return 0;
    }

    private static int Control(char key) => key switch
    {
        >= 'a' and <= 'z' => key - 'a' + 1,
        '@' => 0,
        '[' => 27,
        '\\' => 28,
        ']' => 29,
        '^' => 30,
        '_' => 31,
        _ => -1,
    };
}
