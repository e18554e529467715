using System.Runtime.InteropServices;
using Hull.Linux;

namespace Hull.Runtime.Init;

/// <summary>The pseudo terminal: made in the container's own devpts, its master sent to the parent.</summary>
internal sealed unsafe partial class RootfsSetup
{
    private const int SetPtyLock = 0x40045431;
    private const int GetPtyPeer = 0x5441;
    private const int SetWindowSize = 0x5414;
    private const int SetControllingTerminal = 0x540E;
    private const int ReadWriteNoControlling = 2 | 0x100 | CloseOnExec;

    /// <summary>Opens a terminal pair, makes the slave our standard streams and controlling terminal, sends the master.</summary>
    /// <param name="socket">A connected unix socket descriptor; the message's data is the word of OCI runtimes, the name.</param>
    /// <param name="bindConsole">Also /dev/console, for the container's first process.</param>
    public void AddTerminal(int socket, ushort rows, ushort columns, uint user, bool bindConsole)
    {
        Slot master = OpenInRoot("/dev/pts/ptmx", ReadWriteNoControlling, ResolveFlags.InRoot | ResolveFlags.NoMagicLinks | ResolveFlags.NoSymlinks,
            "a terminal of the container's own devpts", "a terminal needs a devpts mount at /dev/pts");
        AddTerminal(_plan, master, socket, rows, columns, user, slave =>
        {
            if (!bindConsole)
            {
                return;
            }

            MakeTarget("/dev/console", directory: false);
            Slot target = OpenInRoot("/dev/console", PathOnly, ResolveFlags.InRoot | ResolveFlags.NoSymlinks, "where the console goes");
            Slot copy = _plan.CallInto("open_tree", SystemCallNumbers.open_tree, "/dev/console", "the verified terminal itself, not its name (CVE-2025-52565)",
                [slave, _empty, Mounts.OpenTreeClone | CloseOnExec | Files.AtEmptyPath]);
            _plan.Call("move_mount", SystemCallNumbers.move_mount, "/dev/console", "the console is our terminal",
                [copy, _empty, target, _empty, Mounts.MoveFromEmptyPath | Mounts.MoveToEmptyPath]);
        });
    }

    /// <summary>The steps after the master is open; an exec shares them.</summary>
    internal static void AddTerminal(
        InitPlan plan, Slot master, int socket, ushort rows, ushort columns, uint user, Action<Slot> whenOpen)
    {
        int* unlock = (int*)plan.Allocate(sizeof(int));
        plan.Call("ioctl", SystemCallNumbers.ioctl, "/dev/pts/ptmx", "a new terminal is locked", [master, PlanArgument.Named(SetPtyLock, "TIOCSPTLCK"), PlanArgument.Memory(unlock, "0")]);
        // TIOCGPTPEER (Linux 4.13) opens the slave without a path that somebody could swap.
        Slot slave = plan.CallInto("ioctl", SystemCallNumbers.ioctl, "terminal", "its other end, without going by a name",
            [master, PlanArgument.Named(GetPtyPeer, "TIOCGPTPEER"), PlanArgument.Named(ReadWriteNoControlling, "ReadWrite|NoControllingTerminal")]);
        if (rows > 0 && columns > 0)
        {
            ushort* size = (ushort*)plan.Allocate(8);
            size[0] = rows;
            size[1] = columns;
            plan.Call("ioctl", SystemCallNumbers.ioctl, "terminal", "the size of the user's window",
                [slave, PlanArgument.Named(SetWindowSize, "TIOCSWINSZ"), PlanArgument.Memory(size, $"{rows}x{columns}")]);
        }

        if (user != 0)
        {
            plan.Call("fchownat", SystemCallNumbers.fchownat, "terminal", "the user may open its own terminal", [slave, "", user, uint.MaxValue, Files.AtEmptyPath]);
        }

        whenOpen(slave);
        SendMaster(plan, master, socket);
        for (int fd = 0; fd < 3; fd++)
        {
            plan.Call("dup3", SystemCallNumbers.dup3, $"fd {fd}", "standard streams are the terminal", [slave, fd, 0]);
        }

        plan.Call("ioctl", SystemCallNumbers.ioctl, "terminal", "Ctrl-C reaches the foreground process group", [0, PlanArgument.Named(SetControllingTerminal, "TIOCSCTTY"), 0]);
    }

    private static void SendMaster(InitPlan plan, Slot master, int socket)
    {
        byte* name = plan.AllocateBytes("/dev/ptmx"u8);
        ControlMessage* control = plan.Allocate(new ControlMessage { Length = 20, Level = 1, Type = 1 });
        IoVector* vector = plan.Allocate(new IoVector { Base = (nint)name, Length = 9 });
        MessageHeader* header = plan.Allocate(new MessageHeader
        {
            Vector = (nint)vector,
            VectorLength = 1,
            Control = (nint)control,
            ControlLength = (nuint)sizeof(ControlMessage),
        });
        plan.Add(new PlanStep
        {
            Kind = StepKind.Store,
            Call = "store",
            Number = 0,
            Target = "control message",
            Why = "the master's number goes into the message",
            Arguments = [PlanArgument.Memory(&control->Descriptor, "cmsg"), master],
        });
        plan.Call("sendmsg", SystemCallNumbers.sendmsg, "terminal", "who started us drives the terminal", [socket, PlanArgument.Memory(header, "SCM_RIGHTS"), 0x4000]);
    }

    /// <summary>struct cmsghdr with one descriptor, 64-bit (cmsg(3)).</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct ControlMessage
    {
        public nuint Length;
        public int Level;
        public int Type;
        public int Descriptor;
        public int Padding;
    }

    [StructLayout(LayoutKind.Sequential)]
    private struct IoVector
    {
        public nint Base;
        public nuint Length;
    }

    [StructLayout(LayoutKind.Sequential)]
    private struct MessageHeader
    {
        public nint Name;
        public uint NameLength;
        public nint Vector;
        public nuint VectorLength;
        public nint Control;
        public nuint ControlLength;
        public int Flags;
    }
}
