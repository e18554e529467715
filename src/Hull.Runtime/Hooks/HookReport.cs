using System.Buffers.Binary;
using Hull.Linux;
using Hull.Oci.RuntimeSpec;
using Microsoft.Win32.SafeHandles;

namespace Hull.Runtime.Hooks;

/// <summary>What the first process of a created container tells the one that starts it: which startContainer hook failed.</summary>
/// <remarks>A FIFO: the process that made the container, and its report pipe with it, is gone by then. The container's process
/// holds it open until its execve, so the end of file means that all hooks are done.</remarks>
internal static class HookReport
{
    /// <summary>Waits for the hooks' end.</summary>
    /// <param name="fifo">Opened for reading, without blocking, before the container was told to start.</param>
    /// <returns>The failure, or null.</returns>
    public static ContainerException? Wait(SafeFileHandle fifo, IReadOnlyList<Hook>? hooks)
    {
        Span<PollEntry> entries = [new(fifo, PollEvents.Readable)];
        while (Poll.Wait(entries, -1) == 0)
        {
            // A signal came, see Poll.
        }

        byte[] message = new byte[sizeof(ulong) + HookPlace.TailBytes];
        int length = Descriptors.TryRead(fifo, message, out _);
        if (length < sizeof(ulong))
        {
            return null;
        }

        int number = BinaryPrimitives.ReadInt32LittleEndian(message);
        HookOutcome outcome = new(BinaryPrimitives.ReadInt32LittleEndian(message.AsSpan(4)));
        return HookRules.Of("startContainer", hooks).ElementAt(number).Failure(outcome, message.AsSpan(sizeof(ulong), length - sizeof(ulong)));
    }
}
