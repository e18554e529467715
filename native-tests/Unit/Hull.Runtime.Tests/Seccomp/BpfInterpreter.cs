using System.Buffers.Binary;
using Hull.Linux;

namespace Hull.Runtime.Tests;

/// <summary>Runs a seccomp program as the kernel would, and checks what the kernel's verifier checks
/// (kernel/seccomp.c seccomp_check_filter, net/core/filter.c bpf_check_classic).</summary>
internal static class BpfInterpreter
{
    public static (uint Answer, int Steps) Run(ReadOnlySpan<SockFilter> program, in SystemCall call)
    {
        Span<byte> data = stackalloc byte[64];
        BinaryPrimitives.WriteUInt32LittleEndian(data, call.Number);
        BinaryPrimitives.WriteUInt32LittleEndian(data[4..], call.Architecture);
        BinaryPrimitives.WriteUInt64LittleEndian(data[8..], 0x7fff_0000_1000);
        for (int i = 0; i < 6; i++)
        {
            BinaryPrimitives.WriteUInt64LittleEndian(data[(16 + (8 * i))..], call.Arguments[i]);
        }

        uint a = 0;
        int pc = 0;
        for (int steps = 1; ; steps++)
        {
            SockFilter instruction = program[pc++];
            uint k = instruction.K;
            switch (instruction.Code)
            {
                case 0x20:
                    Assert.True(k % 4 == 0 && k < 64, $"load of word {k}");
                    a = BinaryPrimitives.ReadUInt32LittleEndian(data[(int)k..]);
                    break;
                case 0x54:
                    a &= k;
                    break;
                case 0x05:
                    pc += (int)k;
                    break;
                case 0x15:
                    pc += a == k ? instruction.JumpTrue : instruction.JumpFalse;
                    break;
                case 0x25:
                    pc += a > k ? instruction.JumpTrue : instruction.JumpFalse;
                    break;
                case 0x35:
                    pc += a >= k ? instruction.JumpTrue : instruction.JumpFalse;
                    break;
                case 0x45:
                    pc += (a & k) != 0 ? instruction.JumpTrue : instruction.JumpFalse;
                    break;
                case 0x06:
                    return (k, steps);
                default:
                    throw new InvalidOperationException($"instruction {pc - 1} has code 0x{instruction.Code:x}");
            }
        }
    }

    /// <summary>Every jump ends inside the program and the program ends with an answer.</summary>
    public static void Verify(ReadOnlySpan<SockFilter> program)
    {
        Assert.InRange(program.Length, 1, 4096);
        for (int i = 0; i < program.Length; i++)
        {
            long furthest = program[i].Code switch
            {
                0x05 => i + 1 + (long)program[i].K,
                0x15 or 0x25 or 0x35 or 0x45 => i + 1 + Math.Max(program[i].JumpTrue, program[i].JumpFalse),
                0x06 => i,
                _ => i + 1,
            };
            Assert.True(furthest < program.Length, $"instruction {i} leads to {furthest} of {program.Length}");
        }
    }
}

/// <summary>What a seccomp program sees of a system call.</summary>
internal readonly record struct SystemCall(uint Architecture, uint Number, ulong[] Arguments);
