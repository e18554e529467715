using Hull.Linux;
using Hull.Runtime.Bundles;
using Microsoft.Win32.SafeHandles;

namespace Hull.Cli.Runtime;

/// <summary>Waits for a payload in the foreground: forwards signals, copies a terminal's bytes, tells a service manager.</summary>
internal static class ForegroundWait
{
    private static readonly PollEntry Nothing = new(null, PollEvents.None);

    /// <param name="process">A pidfd of the payload, our child.</param>
    /// <param name="terminal">The master of its terminal, if it has one.</param>
    /// <param name="notify">Open until the payload is ready; stays the caller's. The manager watches this process, which ends with
    /// the payload.</param>
    /// <returns>The exit code, 128 + N where signal N ended the payload.</returns>
    public static int Run(SafeFileHandle process, SafeFileHandle? terminal, NotifyProxy? notify = null)
    {
        // Blocked here and in the kernel's queue from now on: a signal between start and wait is not lost.
        SignalSet forwarded = SignalSet.Of(Signal.SIGTERM, Signal.SIGINT, Signal.SIGHUP, Signal.SIGQUIT, Signal.SIGUSR1, Signal.SIGUSR2, Signal.SIGWINCH);
        Signals.Block(forwarded);
        using SafeFileHandle signals = Signals.OpenDescriptor(forwarded);
        using TerminalRelay? relay = terminal is { } master ? new TerminalRelay(master) : null;
        while (true)
        {
            (PollEntry input, PollEntry output) = relay?.Wanted ?? (Nothing, Nothing);
            Span<PollEntry> entries = [new(process, PollEvents.Readable), new(signals, PollEvents.Readable), input, output, new(notify?.Socket, PollEvents.Readable)];
            if (Poll.Wait(entries, -1) == 0)
            {
                continue;
            }

            relay?.Move(entries[2].Came, entries[3].Came);
            if (entries[4].Came != PollEvents.None && notify!.Forward(Environment.ProcessId))
            {
                notify = null;
            }

            while (Signals.TryRead(signals) is { } signal)
            {
                if (signal == Signal.SIGWINCH && relay is not null)
                {
                    relay.FollowSize();
                }
                else
                {
                    PidFd.SendSignal(process, (int)signal);
                }
            }

            if (PidFd.Reap(process) is { } exit)
            {
                relay?.Drain();
                return exit.ShellCode;
            }
        }
    }
}
