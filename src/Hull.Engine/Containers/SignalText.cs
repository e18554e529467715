using Hull.Linux;
using Hull.Oci;

namespace Hull.Engine.Containers;

/// <summary>Signals of flags and images, with Docker's words where they are none.</summary>
public static class SignalText
{
    /// <exception cref="EngineException">Invalid.</exception>
    public static int Parse(string text) =>
        TryParse(text, out int signal) ? signal : throw EngineException.Invalid($"invalid signal: {FlagText.Printable(text)}");

    public static bool TryParse(string text, out int signal) => SignalNames.TryParse(text, out signal);
}
