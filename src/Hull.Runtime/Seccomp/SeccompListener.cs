using System.Text.Json;
using Hull.Linux;
using Hull.Oci;
using Hull.Oci.RuntimeSpec;
using Microsoft.Win32.SafeHandles;

namespace Hull.Runtime;

/// <summary>A program outside of the container that answers system calls of its processes (seccomp_unotify(2)).</summary>
/// <remarks>
/// The payload installs the filter and gets the descriptor on which calls are answered; it cannot send it away itself, for that
/// call may be one to be answered. So the runtime copies the descriptor out of it and sends the copy.
/// <code>
/// child                              runtime                            listener
///   seccomp(NEW_LISTENER) → fd
///   fd's number ── write ──────────►   pidfd_getfd
///                                      connect, sendmsg(state, fd) ────►
///   read(gate) ◄── one byte ────────
///   close(fd)
/// </code>
/// The child's own copy goes: with it open the end of the listener would not end the waiting of the calls.
/// </remarks>
/// <param name="Path">Its unix stream socket, absolute.</param>
/// <param name="Metadata">A text of the profile that it is told.</param>
public sealed record SeccompListener(string Path, string? Metadata)
{
    private const string Root = "linux.seccomp";

    /// <summary>The name of the descriptor in the message (config-linux.md, "The Container Process State").</summary>
    private const string DescriptorName = "seccompFd";

    /// <summary>The listener that a profile needs; null where no rule hands calls over, whatever path it names.</summary>
    /// <exception cref="SpecException">A rule needs one that is not named, or could never reach it.</exception>
    internal static SeccompListener? Of(Seccomp profile)
    {
        if (profile.ListenerMetadata is { Length: > 0 } && profile.ListenerPath is null or "")
        {
            throw new SpecException($"{Root}.listenerMetadata", "is for a listener: give its listenerPath too");
        }

        if (!SeccompCompiler.NeedsListener(profile))
        {
            return profile.Flags?.Contains(SeccompReader.WaitKillableReceive) == true
                ? throw new SpecException($"{Root}.flags", $"{SeccompReader.WaitKillableReceive} is for profiles with a rule of SCMP_ACT_NOTIFY")
                : null;
        }

        for (int i = 0; i < profile.Syscalls!.Count; i++)
        {
            if (profile.Syscalls[i].Action == SeccompReader.Notify && profile.Syscalls[i].Names.Contains("write"))
            {
                throw new SpecException($"{Root}.syscalls[{i}]", "SCMP_ACT_NOTIFY cannot be used for write: the process needs it to tell of its listener");
            }
        }

        return profile.ListenerPath is not { Length: > 0 } path
            ? throw new SpecException($"{Root}.listenerPath", "a rule has SCMP_ACT_NOTIFY: give the socket of the program that answers")
            : path[0] != '/'
                ? throw new SpecException($"{Root}.listenerPath", $"'{path}' must be an absolute path")
                : new SeccompListener(path, profile.ListenerMetadata);
    }

    /// <summary>Sends it the descriptor with what it is told of the process.</summary>
    /// <exception cref="ContainerException">Nobody takes it.</exception>
    internal void Send(SafeFileHandle descriptor, int pid, State container)
    {
        using SafeFileHandle socket = Connect();
        byte[] message = JsonSerializer.SerializeToUtf8Bytes(
            new ContainerProcessState { OciVersion = container.OciVersion, Fds = [DescriptorName], Pid = pid, Metadata = Metadata, State = container },
            RuntimeSpecJson.Default.ContainerProcessState);
        int sent = UnixSockets.TrySend(socket, message, out Errno errno, descriptor);
        if (sent < 0)
        {
            throw Failed($"{errno.Name()} ({errno.Text()})");
        }

        Files.Write(socket, message.AsSpan(sent), Path);
    }

    private SafeFileHandle Connect()
    {
        try
        {
            return UnixSockets.TryConnect(Path) ?? throw Failed("nobody listens there; start the seccomp agent first");
        }
        catch (SyscallException error)
        {
            throw Failed(error.Message, error);
        }
    }

    private ContainerException Failed(string why, Exception? inner = null) =>
        new(ContainerFault.Engine, $"{Root}.listenerPath {Path}: {why}", inner);
}
