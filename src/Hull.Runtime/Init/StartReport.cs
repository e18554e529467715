using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Hull.Linux;
using Hull.Oci.RuntimeSpec;
using Hull.Runtime.Hooks;
using Microsoft.Win32.SafeHandles;

namespace Hull.Runtime.Init;

/// <summary>What the first process of a created container tells the one that starts it: what went wrong on the way to its
/// payload.</summary>
/// <remarks>
/// A FIFO: the process that made the container, and its report pipe with it, is gone by then. The container's process holds it
/// open until its execve, so the end of file means that the payload runs. A message is
/// <code>
/// int32 source: below 0 the startContainer hook ~source, else the number of the system call that failed
/// int32 outcome: of the hook, see HookOutcome; or the errno
/// bytes: the tail of the hook's output
/// </code>
/// </remarks>
internal static class StartReport
{
    private const int HeadBytes = 2 * sizeof(int);

    /// <summary>Waits for the payload's execve.</summary>
    /// <param name="fifo">Opened for reading, without blocking, before the container was told to start.</param>
    /// <param name="spec">Reads the container's; asked only when something went wrong.</param>
    /// <param name="root">The container's root, opened while its process was there; null where that may not be looked into.</param>
    /// <returns>The failure, and whether it is a hook's; or null.</returns>
    public static (ContainerException Error, bool OfHook)? Wait(SafeFileHandle fifo, Func<Spec> spec, SafeFileHandle? root)
    {
        Span<PollEntry> entries = [new(fifo, PollEvents.Readable)];
        while (Poll.Wait(entries, -1) == 0)
        {
            // A signal came, see Poll.
        }

        byte[] message = new byte[HeadBytes + HookPlace.TailBytes];
        int length = Descriptors.TryRead(fifo, message, out _);
        if (length < HeadBytes)
        {
            return null;
        }

        int source = BinaryPrimitives.ReadInt32LittleEndian(message);
        int outcome = BinaryPrimitives.ReadInt32LittleEndian(message.AsSpan(sizeof(int)));
        Spec container = spec();
        return source < 0
            ? (HookRules.Of("startContainer", container.Hooks?.StartContainer).ElementAt(~source)
                .Failure(new HookOutcome(outcome), message.AsSpan(HeadBytes, length - HeadBytes)), true)
            : (CallFailure(source, (Errno)outcome, container, root), false);
    }

    private static ContainerException CallFailure(int number, Errno errno, Spec spec, SafeFileHandle? root)
    {
        if (number == SystemCallNumbers.execve && root is not null)
        {
            return ExecutableDiagnosis.Explain(new ContainerFiles(root, spec.Mounts), spec.Process!, errno);
        }

        string call = SyscallTable.NameOf(number, SyscallAbis.Native(RuntimeInformation.ProcessArchitecture)) ?? $"system call {number}";
        return new ContainerException(ContainerFault.Engine, new SyscallException(call, spec.Process?.Args?[0], errno).Message);
    }
}
