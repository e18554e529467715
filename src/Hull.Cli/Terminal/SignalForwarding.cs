using Hull.Linux;
using Microsoft.Win32.SafeHandles;

namespace Hull.Cli.Terminal;

/// <summary>The signals that an attached client handles, as a descriptor to poll. One a process, for the rest of its life.</summary>
internal sealed class SignalForwarding : IDisposable
{
    private readonly SafeFileHandle _descriptor;

    private SignalForwarding(SafeFileHandle descriptor) => _descriptor = descriptor;

    /// <summary>To poll for reading; owned by this object.</summary>
    public SafeFileHandle Descriptor => _descriptor;

    /// <summary>Blocks and opens.</summary>
    /// <param name="proxy">Take the signals that are passed on to the container (<c>--sig-proxy</c>).</param>
    /// <param name="terminal">Take those that change or end the use of a raw terminal.</param>
    public static SignalForwarding Open(bool proxy, bool terminal)
    {
        SignalSet set = default;
        if (proxy || terminal)
        {
            set = SignalSet.Of(Signal.SIGHUP, Signal.SIGINT, Signal.SIGQUIT, Signal.SIGTERM);
        }

        if (proxy)
        {
            set = new SignalSet(set.Bits | SignalSet.Of(Signal.SIGUSR1, Signal.SIGUSR2, Signal.SIGALRM).Bits);
        }

        if (terminal)
        {
            set = new SignalSet(set.Bits | SignalSet.Of(Signal.SIGWINCH, Signal.SIGTSTP).Bits);
        }

        ProcessSignals.BlockEverywhere(set);
        return new SignalForwarding(Signals.OpenDescriptor(set));
    }

    /// <summary>The next signal that came; null where none has.</summary>
    public Signal? TryNext() => Signals.TryRead(_descriptor);

    public void Dispose() => _descriptor.Dispose();
}
