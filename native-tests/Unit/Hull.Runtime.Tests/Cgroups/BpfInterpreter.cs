using Hull.Linux;
using Hull.Runtime.Cgroups;

namespace Hull.Runtime.Tests.Cgroups;

/// <summary>Runs the handful of eBPF instructions that <see cref="DeviceProgram"/> uses, by the numbers of
/// Documentation/bpf/standardization/instruction-set.rst.</summary>
internal static class BpfInterpreter
{
    public static bool Run(ReadOnlySpan<BpfInstruction> program, DeviceKind kind, uint major, uint minor, DeviceAccess access)
    {
        uint[] context = [((uint)access << 16) | (uint)kind, major, minor];
        ulong[] registers = new ulong[11];
        for (int at = 0; ; at++)
        {
            BpfInstruction i = program[at];
            ref ulong to = ref registers[i.Destination];
            ulong value = (ulong)(long)i.Immediate;
            switch (i.Code)
            {
                case 0x61:
                    Assert.Equal(1, i.Source);
                    to = context[i.Offset / 4];
                    break;
                case 0xbf:
                    to = registers[i.Source];
                    break;
                case 0xb7:
                    to = value;
                    break;
                case 0x57:
                    to &= value;
                    break;
                case 0x77:
                    to >>= i.Immediate;
                    break;
                case 0x15:
                    at += to == value ? i.Offset : 0;
                    break;
                case 0x55:
                    at += to != value ? i.Offset : 0;
                    break;
                case 0x95:
                    return registers[0] != 0;
                default:
                    Assert.Fail($"instruction {at} has the unknown code {i.Code:x2}");
                    break;
            }
        }
    }

    public static void AssertAllReachable(ReadOnlySpan<BpfInstruction> program)
    {
        bool[] reached = new bool[program.Length];
        reached[0] = true;
        for (int at = 0; at < program.Length; at++)
        {
            Assert.True(reached[at], $"instruction {at} of {program.Length} cannot be reached");
            if (program[at].Code is 0x15 or 0x55)
            {
                reached[at + 1 + program[at].Offset] = true;
            }

            if (program[at].Code != 0x95)
            {
                reached[at + 1] = true;
            }
        }
    }
}
