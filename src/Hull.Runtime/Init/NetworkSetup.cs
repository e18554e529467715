using System.Runtime.InteropServices;
using Hull.Linux;

namespace Hull.Runtime.Init;

/// <summary>The loopback of a new network namespace.</summary>
internal static unsafe class NetworkSetup
{
    private const int SetInterfaceFlags = 0x8914;

    /// <summary>Brings lo up: 127.0.0.1 and ::1 come with it.</summary>
    public static void AddLoopback(InitPlan plan)
    {
        Slot socket = plan.CallInto("socket", SystemCallNumbers.socket, "lo", "interfaces are configured through any socket",
            [PlanArgument.Named(2, "AF_INET"), PlanArgument.Named(2 | 0x80000, "DGRAM|CLOEXEC"), 0]);
        InterfaceRequest* request = plan.Allocate(new InterfaceRequest { Flags = 0x1 | 0x40 });
        "lo"u8.CopyTo(new Span<byte>(request->Name, 16));
        plan.Call("ioctl", SystemCallNumbers.ioctl, "lo", "a new network namespace has its loopback down",
            [socket, PlanArgument.Named(SetInterfaceFlags, "SIOCSIFFLAGS"), PlanArgument.Memory(request, "lo up running")]);
        plan.Call("close", SystemCallNumbers.close, "lo", "done with it", [socket]);
    }

    /// <summary>struct ifreq, 40 bytes (netdevice(7)).</summary>
    [StructLayout(LayoutKind.Sequential, Size = 40)]
    private struct InterfaceRequest
    {
        public fixed byte Name[16];
        public short Flags;
    }
}
