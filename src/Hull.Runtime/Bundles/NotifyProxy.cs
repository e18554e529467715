using System.Globalization;
using System.Text;
using Hull.Linux;
using Hull.Oci.RuntimeSpec;
using Microsoft.Win32.SafeHandles;

namespace Hull.Runtime.Bundles;

/// <summary>Passes on to a service manager that a container's payload is ready (sd_notify(3), <c>NOTIFY_SOCKET</c>).</summary>
/// <remarks>
/// The payload does not get the manager's own socket, but one in a directory that is bound into the container, and of what it
/// sends only READY goes further, as with runc.
/// <code>
/// payload ── READY=1 ──► /run/notify/notify.sock = STATE/ID/notify/notify.sock ──► us ── READY=1, MAINPID=N ──► $NOTIFY_SOCKET
/// </code>
/// </remarks>
public sealed class NotifyProxy : IDisposable
{
    private const string SocketFile = "notify.sock";
    private const string InContainer = "/run/notify";
    private const int LongestMessage = 4096;

    /// <summary>How long runc waits for the manager to have read everything.</summary>
    private const int BarrierMilliseconds = 30_000;

    private readonly SafeFileHandle _manager;
    private readonly Action<string> _warn;

    private NotifyProxy(SafeFileHandle socket, SafeFileHandle manager, Action<string> warn)
    {
        Socket = socket;
        _manager = manager;
        _warn = warn;
    }

    /// <summary>Readable when the payload has sent something.</summary>
    public SafeFileHandle Socket { get; }

    /// <summary>The spec, its process told of the socket that will be in <paramref name="directory"/>.</summary>
    internal static Spec Tell(Spec spec, string directory) => spec.Process is not { } process ? spec : spec with
    {
        Mounts =
        [
            .. spec.Mounts ?? [],
            new Mount { Destination = InContainer, Source = directory, Options = ["bind", "nosuid", "noexec", "nodev", "ro"] },
        ],
        Process = process with { Env = [.. process.Env ?? [], $"NOTIFY_SOCKET={InContainer}/{SocketFile}"] },
    };

    /// <summary>Begins to receive.</summary>
    /// <param name="directory">That of <see cref="Tell"/>.</param>
    /// <param name="manager">The address that the manager gave us in <c>NOTIFY_SOCKET</c>.</param>
    /// <param name="warn">Takes what went wrong once the payload runs: a container does not end because nobody hears of it.</param>
    /// <exception cref="ContainerException">Nobody receives at that address.</exception>
    internal static NotifyProxy Open(string directory, string manager, Action<string> warn)
    {
        if (manager[0] is not ('/' or '@'))
        {
            throw new ContainerException(ContainerFault.Engine, $"NOTIFY_SOCKET {manager}: neither an absolute path nor an abstract name that begins with @");
        }

        SafeFileHandle to;
        try
        {
            to = UnixSockets.TryConnectDatagrams(manager)
                ?? throw new ContainerException(ContainerFault.Engine, $"NOTIFY_SOCKET {manager}: nobody receives there; unset it where no service manager waits");
        }
        catch (SyscallException error)
        {
            throw new ContainerException(ContainerFault.Engine, $"NOTIFY_SOCKET {manager}: {error.Message}", error);
        }

        try
        {
            using SafeFileHandle place = Files.Open(directory, OpenFlags.Path | OpenFlags.Directory);
            return new NotifyProxy(UnixSockets.ReceiveDatagrams(place, SocketFile), to, warn);
        }
        catch
        {
            to.Dispose();
            throw;
        }
    }

    /// <summary>Removes what was made in the directory, and the directory.</summary>
    internal static void Remove(string directory)
    {
        Files.Unlink(null, Path.Combine(directory, SocketFile));
        Files.RemoveDirectory(null, directory);
    }

    /// <summary>Reads what has come and passes READY on.</summary>
    /// <param name="main">The process that the manager is to watch from now on.</param>
    /// <returns>Whether it was READY: there is nothing more to do.</returns>
    public bool Forward(int main)
    {
        byte[] message = new byte[LongestMessage];
        int length;
        while ((length = UnixSockets.TryReceive(Socket, message, out Errno errno)) >= 0 || errno != Errno.EAGAIN)
        {
            if (length < 0)
            {
                throw new SyscallException("recvmsg", SocketFile, errno);
            }

            foreach (string line in Encoding.UTF8.GetString(message, 0, length).Split('\n'))
            {
                if (line.StartsWith("READY=", StringComparison.Ordinal))
                {
                    Send(Encoding.UTF8.GetBytes($"{line}\n"));
                    Send(Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"MAINPID={main}\n")));
                    return true;
                }
            }
        }

        return false;
    }

    /// <summary>Waits until the payload is ready or has ended, and then until the manager has heard of it: it must not find this
    /// process, which has told it, gone before (sd_notify_barrier(3)).</summary>
    /// <param name="process">A pidfd of the payload.</param>
    internal void WaitUntilReady(SafeFileHandle process, int pid)
    {
        Span<PollEntry> entries = [new(Socket, PollEvents.Readable), new(process, PollEvents.Readable)];
        while (true)
        {
            // 0: a signal came, see Poll.
            if (Poll.Wait(entries, -1) > 0)
            {
                if (Forward(pid))
                {
                    Barrier();
                    return;
                }

                if (entries[1].Came != PollEvents.None)
                {
                    return;
                }
            }
        }
    }

    public void Dispose()
    {
        Socket.Dispose();
        _manager.Dispose();
    }

    private void Barrier()
    {
        (SafeFileHandle read, SafeFileHandle write) = Descriptors.Pipe();
        using (read)
        {
            using (write)
            {
                Send("BARRIER=1"u8, write);
            }

            Span<PollEntry> entries = [new(read, PollEvents.Readable)];
            if (Poll.Wait(entries, BarrierMilliseconds) == 0)
            {
                _warn($"NOTIFY_SOCKET: the service manager has not answered BARRIER=1 for {BarrierMilliseconds / 1000} s");
            }
        }
    }

    private void Send(ReadOnlySpan<byte> message, params ReadOnlySpan<SafeFileHandle> descriptors)
    {
        if (UnixSockets.TrySend(_manager, message, out Errno errno, descriptors) < 0)
        {
            _warn($"NOTIFY_SOCKET: {new SyscallException("sendmsg", Encoding.UTF8.GetString(message).TrimEnd('\n'), errno).Message}");
        }
    }
}
