using System.Runtime.InteropServices;
using Hull.Linux;
using Microsoft.Win32.SafeHandles;

namespace Hull.Runtime.Init;

/// <summary>The socket pair over which a child waits for its parent, a byte a gate.</summary>
internal sealed unsafe partial class ChildGates
{
    private readonly SafeFileHandle _child;
    private readonly byte* _byte;

    public ChildGates(InitPlan plan)
    {
        int* fds = stackalloc int[2];
        // SOCK_SEQPACKET: a byte is a message. AF_UNIX, close-on-exec.
        if (socketpair(1, 5 | 0x80000, 0, fds) != 0)
        {
            throw SyscallException.Last("socketpair", "gates of the child stage");
        }

        ParentEnd = new SafeFileHandle(fds[0], ownsHandle: true);
        _child = new SafeFileHandle(fds[1], ownsHandle: true);
        _byte = (byte*)plan.Allocate(1);
    }

    public SafeFileHandle ParentEnd { get; }

    /// <summary>Adds a step that waits for the parent.</summary>
    public void Wait(InitPlan plan, string why) => plan.Add(new PlanStep
    {
        Kind = StepKind.CallExactly,
        Call = "read",
        Number = SystemCallNumbers.read,
        Target = "gate",
        Why = why,
        Arguments = [PlanArgument.Named(_child.DangerousGetHandle(), "gate"), PlanArgument.Memory(_byte, "byte"), 1],
        Expected = 1,
        Failure = Errno.EPIPE,
        Hint = "the starting process ended before the container was ready",
    });

    /// <summary>Adds a step that tells the parent that the child has come here.</summary>
    public void Tell(InitPlan plan, string why) =>
        plan.Call("write", SystemCallNumbers.write, "gate", why,
            [PlanArgument.Named(_child.DangerousGetHandle(), "gate"), PlanArgument.Memory(_byte, "byte"), 1]);

    public void CloseChildEnds() => _child.Dispose();

    /// <summary>A close-on-exec pipe.</summary>
    internal static (SafeFileHandle Read, SafeFileHandle Write) Pipe()
    {
        int* fds = stackalloc int[2];
        if (pipe2(fds, 0x80000) != 0)
        {
            throw SyscallException.Last("pipe2");
        }

        return (new SafeFileHandle(fds[0], ownsHandle: true), new SafeFileHandle(fds[1], ownsHandle: true));
    }

    [LibraryImport("libc", SetLastError = true)]
    private static partial int socketpair(int domain, int type, int protocol, int* fds);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int pipe2(int* fds, int flags);
}
