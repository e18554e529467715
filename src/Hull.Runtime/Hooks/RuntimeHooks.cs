using System.Text.Json;
using Hull.Linux;
using Hull.Oci.RuntimeSpec;
using Microsoft.Win32.SafeHandles;

namespace Hull.Runtime.Hooks;

/// <summary>Runs hooks in the runtime's own namespaces: prestart, createRuntime, poststart, poststop.</summary>
/// <remarks>A hook finds the state on its standard input and its own env alone in its environment, as environ(7) of the spec's
/// text; runc up to 1.2 hands its own environment on where env is absent, which CVE-2025-23266 turned against the host. It gets
/// no descriptor but 0, 1 and 2. Output goes to a memory file, so that a hook that writes much never waits for a reader.</remarks>
internal static class RuntimeHooks
{
    /// <summary>Runs them in order; the first that fails ends the list.</summary>
    /// <exception cref="ContainerException">A hook failed.</exception>
    public static void Run(string stage, IReadOnlyList<Hook>? hooks, State state)
    {
        foreach (HookPlace place in HookRules.Of(stage, hooks))
        {
            if (Run(place, state) is { } failure)
            {
                throw failure;
            }
        }
    }

    /// <summary>Runs them all, in order; one that fails is a warning (runtime.md, lifecycle). Never throws for a hook.</summary>
    /// <remarks>runc makes a failed poststart hook an error that kills the container; the text up to 1.2 has a warning.</remarks>
    public static void RunAll(string stage, IReadOnlyList<Hook>? hooks, State state, Action<string> warn)
    {
        foreach (HookPlace place in HookRules.Of(stage, hooks))
        {
            try
            {
                if (Run(place, state) is { } failure)
                {
                    warn(failure.Message);
                }
            }
            catch (SyscallException error)
            {
                warn($"hooks.{place.Stage}[{place.Number}] {place.Hook.Path}: {error.Message}");
            }
        }
    }

    /// <summary>What a hook reads on its standard input.</summary>
    public static byte[] Document(State state) => JsonSerializer.SerializeToUtf8Bytes(state, RuntimeSpecJson.Default.State);

    private static ContainerException? Run(HookPlace place, State state)
    {
        using SafeFileHandle input = MemoryFile.Create("hook-state");
        using SafeFileHandle output = MemoryFile.Create("hook-output");
        Files.WriteAt(input, Document(state), 0, "state for a hook");
        HookOutcome outcome = Execute(place.Hook, input, output, state.Bundle);
        if (outcome.Success)
        {
            return null;
        }

        long length = (long)Files.Stat(output).Size;
        byte[] tail = new byte[(int)Math.Min(length, HookPlace.TailBytes)];
        int read = Files.ReadAt(output, tail, length - tail.Length);
        return place.Failure(outcome, tail.AsSpan(0, read));
    }

    private static HookOutcome Execute(Hook hook, SafeFileHandle input, SafeFileHandle output, string bundle)
    {
        int pid;
        try
        {
            pid = ProcessSpawn.Start(new SpawnRequest
            {
                Program = hook.Path,
                // The spec: args as argv of execv(3), argv[0] included; without args the path stands for it, as with runc.
                Arguments = hook.Args is { Count: > 0 } args ? args : [hook.Path],
                Environment = hook.Env ?? [],
                Descriptors = [new(input, 0), new(output, 1), new(output, 2)],
                NewSession = true,
                // A bundle may be gone when its container is deleted.
                WorkingDirectory = Directory.Exists(bundle) ? bundle : "/",
            });
        }
        catch (SyscallException error) when (error.Operation == "posix_spawn")
        {
            return HookOutcome.NotExecuted(error.Errno);
        }

        using SafeFileHandle process = PidFd.TryOpen(pid)!;
        if (hook.Timeout is { } seconds && !EndsWithin(process, seconds))
        {
            // With its session, so that what it had started goes too.
            Processes.Kill(-pid, (int)Signal.SIGKILL);
            PidFd.SendSignal(process, (int)Signal.SIGKILL);
            PidFd.Reap(process, wait: true);
            return HookOutcome.TimedOut;
        }

        return HookOutcome.Ended(PidFd.Reap(process, wait: true)!.Value);
    }

    private static bool EndsWithin(SafeFileHandle process, int seconds)
    {
        long end = Environment.TickCount64 + (seconds * 1000L);
        Span<PollEntry> entries = [new(process, PollEvents.Readable)];
        while (Poll.Wait(entries, (int)Math.Clamp(end - Environment.TickCount64, 0, int.MaxValue)) == 0)
        {
            // 0 after a signal too, see Poll.
            if (Environment.TickCount64 >= end)
            {
                return false;
            }
        }

        return true;
    }
}
