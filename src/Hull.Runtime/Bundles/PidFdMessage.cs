using Hull.Linux;
using Microsoft.Win32.SafeHandles;

namespace Hull.Runtime.Bundles;

/// <summary>The message on <c>--pidfd-socket</c>: a pidfd beside a word that says what process it is, as runc 1.2 sends it.</summary>
/// <remarks>The receiver can wait for and signal just this process, however often its number is used again (pidfd_open(2)).</remarks>
public static class PidFdMessage
{
    /// <param name="first">The container's first process, not one of exec.</param>
    /// <exception cref="ContainerException">Nobody takes it.</exception>
    public static void Send(SafeFileHandle socket, RunningContainer container, bool first)
    {
        if (UnixSockets.TrySend(socket, first ? "standard"u8 : "setns"u8, out Errno errno, container.PidFd) < 0)
        {
            throw new ContainerException(ContainerFault.Engine, new SyscallException("sendmsg", "--pidfd-socket", errno).Message);
        }
    }
}
