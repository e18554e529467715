using System.Globalization;

namespace Hull.Linux;

/// <summary>Signals as people write them: <c>9</c>, <c>KILL</c>, <c>SIGKILL</c>, <c>RTMIN+3</c>; signal(7).</summary>
public static class SignalNames
{
    private const int RealTimeFirst = 34;
    private const int RealTimeLast = 64;

    /// <summary>The number, 1 to 64; false where the text names no signal.</summary>
    public static bool TryParse(string text, out int signal)
    {
        if (int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out signal))
        {
            return signal is >= 1 and <= RealTimeLast;
        }

        string name = text.ToUpperInvariant();
        name = name.StartsWith("SIG", StringComparison.Ordinal) ? name : "SIG" + name;
        if (name is "SIGPOLL" or "SIGIOT" or "SIGCLD")
        {
            signal = (int)(name switch { "SIGPOLL" => Signal.SIGIO, "SIGIOT" => Signal.SIGABRT, _ => Signal.SIGCHLD });
            return true;
        }

        if (Enum.TryParse(name, ignoreCase: false, out Signal known))
        {
            signal = (int)known;
            return true;
        }

        return TryRealTime(name, out signal);
    }

    private static bool TryRealTime(string name, out int signal)
    {
        signal = 0;
        string rest;
        int from;
        if (name.StartsWith("SIGRTMIN", StringComparison.Ordinal))
        {
            (rest, from) = (name["SIGRTMIN".Length..], RealTimeFirst);
        }
        else if (name.StartsWith("SIGRTMAX", StringComparison.Ordinal))
        {
            (rest, from) = (name["SIGRTMAX".Length..], RealTimeLast);
        }
        else
        {
            return false;
        }

        int offset = 0;
        if (rest.Length > 0 && !int.TryParse(rest, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out offset))
        {
            return false;
        }

        signal = from + offset;
        return signal is >= RealTimeFirst and <= RealTimeLast;
    }
}
