using System.Runtime.InteropServices;
using System.Text.Json;
using Hull.Linux;
using Hull.Oci.RuntimeSpec;

namespace Hull.Runtime.Tests;

/// <summary>A profile with the program that libseccomp made of it (scripts/generate-seccomp-golden).</summary>
internal sealed record GoldenProfile
{
    public required Seccomp Profile { get; init; }
    public required Architecture Machine { get; init; }
    /// <summary>Names that the libseccomp of the golden data does not know.</summary>
    public required IReadOnlySet<string> Unknown { get; init; }
    public required SockFilter[] Program { get; init; }

    private static string Folder => Path.Combine(AppContext.BaseDirectory, "Seccomp", "Golden");

    /// <summary>The names of all, such as <c>operators.x64</c>.</summary>
    public static IEnumerable<string> All => Directory.GetFiles(Folder, "*.bpf").Select(Path.GetFileNameWithoutExtension).Order(StringComparer.Ordinal)!;

    public static Seccomp Document(string name) =>
        JsonSerializer.Deserialize(File.ReadAllBytes(Path.Combine(Folder, name + ".json")), RuntimeSpecJson.Default.Seccomp)!;

    public static GoldenProfile Load(string name)
    {
        string[] lines = File.ReadAllLines(Path.Combine(Folder, name + ".bpf"));
        int dot = name.LastIndexOf('.');
        return new GoldenProfile
        {
            Profile = Document(name[..dot]),
            Machine = name[(dot + 1)..] == "x64" ? Architecture.X64 : Architecture.Arm64,
            Unknown = lines[0].Split(' ', StringSplitOptions.RemoveEmptyEntries).ToHashSet(),
            Program = MemoryMarshal.Cast<byte, SockFilter>(Convert.FromBase64String(string.Concat(lines[1..]))).ToArray(),
        };
    }

    /// <summary>The profile without the names that libseccomp does not know.</summary>
    public Seccomp Reduced() => Profile with
    {
        Syscalls = Profile.Syscalls!
            .Select(rule => rule with { Names = rule.Names.Where(name => !Unknown.Contains(name)).ToList() })
            .Where(rule => rule.Names.Count > 0).ToList(),
    };

    /// <summary>Every number on every architecture, with the arguments that the profile's conditions turn on.</summary>
    public static IEnumerable<SystemCall> Calls(Seccomp profile)
    {
        HashSet<ulong> values = [0, 1, uint.MaxValue, ulong.MaxValue];
        foreach (SeccompArgument argument in profile.Syscalls!.SelectMany(rule => rule.Args ?? []))
        {
            foreach (ulong value in new[] { argument.Value, argument.ValueTwo ?? 0 })
            {
                values.UnionWith([value, value - 1, value + 1, value ^ (1UL << 32), value ^ (1UL << 63), value & uint.MaxValue, ~value]);
            }
        }

        List<ulong[]> vectors = [];
        foreach (ulong value in values)
        {
            vectors.Add([value, value, value, value, value, value]);
            for (int i = 0; i < 6; i++)
            {
                ulong[] vector = [7, 7, 7, 7, 7, 7];
                vector[i] = value;
                vectors.Add(vector);
            }
        }

        for (ulong i = 1; i < 30; i++)
        {
            vectors.Add([i, 0, 0, 0, 0, 0]); // socketcall(2) and ipc(2)
        }

        vectors.Add([4, 8, 1, 0, 0, 0]);
        vectors.Add([3, 9, ulong.MaxValue, 0, 0, 0]);
        List<ulong[]> shortVectors = vectors.Select(v => Array.ConvertAll(v, a => a & uint.MaxValue)).ToList();
        HashSet<uint> conditional = [102, 117];
        foreach (SeccompRule rule in profile.Syscalls!.Where(rule => rule.Args?.Count > 0))
        {
            foreach (int index in rule.Names.Select(name => SyscallTable.IndexOf(name)).Where(index => index >= 0))
            {
                conditional.UnionWith(Enum.GetValues<SyscallAbi>().Select(abi => (uint)SyscallTable.Number(index, abi)));
            }
        }

        IEnumerable<uint> numbers = Enumerable.Range(0, 600).Select(n => (uint)n)
            .Concat(Enumerable.Range(0, 600).Select(n => (uint)n | 0x40000000))
            .Concat(Enumerable.Range(0xeffff, 20).Select(n => (uint)n))
            .Concat(new uint[] { 0x3fffffff, 0x7fffffff, 0x80000000, 0xbfffffff, 0xc0000000, uint.MaxValue });
        foreach (uint number in numbers)
        {
            foreach (uint architecture in new uint[] { 0xC000003E, 0x40000003, 0xC00000B7, 0x40000028, 0x80000016, 0 })
            {
                bool isShort = architecture is 0x40000003 or 0x40000028;
                IEnumerable<ulong[]> some = isShort ? shortVectors : vectors;
                foreach (ulong[] vector in conditional.Contains(number) ? some : some.Take(2))
                {
                    yield return new SystemCall(architecture, number, vector);
                }
            }
        }
    }
}
