using System.Globalization;

namespace Hull.Engine.Containers;

/// <summary>Signals by name or number, as kill(1) and Docker take them.</summary>
public static class SignalNames
{
    private static readonly string[] Names =
    [
        "HUP", "INT", "QUIT", "ILL", "TRAP", "ABRT", "BUS", "FPE", "KILL", "USR1", "SEGV", "USR2", "PIPE", "ALRM", "TERM", "STKFLT",
        "CHLD", "CONT", "STOP", "TSTP", "TTIN", "TTOU", "URG", "XCPU", "XFSZ", "VTALRM", "PROF", "WINCH", "IO", "PWR", "SYS",
    ];

    private const int RealTimeMinimum = 34;
    private const int RealTimeMaximum = 64;

    /// <exception cref="EngineException">Invalid, with Docker's words.</exception>
    public static int Parse(string text) =>
        TryParse(text, out int signal) ? signal : throw EngineException.Invalid($"invalid signal: {FlagText.Printable(text)}");

    /// <summary><c>TERM</c>, <c>sigterm</c>, <c>15</c>, <c>SIGRTMIN+3</c>.</summary>
    public static bool TryParse(string text, out int signal)
    {
        if (int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out signal))
        {
            return signal is > 0 and <= RealTimeMaximum;
        }

        string name = text.ToUpperInvariant();
        name = name.StartsWith("SIG", StringComparison.Ordinal) ? name[3..] : name;
        signal = Array.IndexOf(Names, name) + 1;
        if (signal == 0)
        {
            signal = name switch
            {
                "IOT" => 6,
                "CLD" => 17,
                "POLL" => 29,
                "UNUSED" => 31,
                _ => RealTime(name),
            };
        }

        return signal > 0;
    }

    private static int RealTime(string name)
    {
        int sign = name.StartsWith("RTMIN", StringComparison.Ordinal) ? 1 : name.StartsWith("RTMAX", StringComparison.Ordinal) ? -1 : 0;
        if (sign == 0)
        {
            return 0;
        }

        int from = sign > 0 ? RealTimeMinimum : RealTimeMaximum;
        if (name.Length == 5)
        {
            return from;
        }

        bool valid = name[5] == (sign > 0 ? '+' : '-')
            && int.TryParse(name.AsSpan(6), NumberStyles.None, CultureInfo.InvariantCulture, out int distance)
            && distance <= RealTimeMaximum - RealTimeMinimum;
        return valid ? from + (sign * int.Parse(name.AsSpan(6), CultureInfo.InvariantCulture)) : 0;
    }
}
