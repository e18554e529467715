namespace Hull.Runtime;

/// <summary>The numbers of system calls by name, for each ABI.</summary>
/// <remarks>The tables are constant data of the binary: nothing is built at start.</remarks>
internal static partial class SyscallTable
{
    /// <summary>Where a name stands in the tables; negative where no ABI here has such a call.</summary>
    public static int IndexOf(ReadOnlySpan<char> name)
    {
        int low = 0;
        int high = Count - 1;
        while (low <= high)
        {
            int middle = (low + high) >>> 1;
            int order = Compare(name, Names[Offsets[middle]..Offsets[middle + 1]]);
            if (order == 0)
            {
                return middle;
            }

            (low, high) = order < 0 ? (low, middle - 1) : (middle + 1, high);
        }

        return -1;
    }

    /// <summary>The number of the call at an index of <see cref="IndexOf"/>; -1 where the ABI lacks it. Those of x32
    /// carry their bit 30.</summary>
    public static int Number(int index, SyscallAbi abi) => abi switch
    {
        SyscallAbi.X64 => X64[index],
        SyscallAbi.X32 => X32[index],
        SyscallAbi.I386 => I386[index],
        SyscallAbi.Arm64 => Arm64[index],
        _ => Arm[index],
    };

    /// <summary>The name of a call of an ABI; null where it has none of that number.</summary>
    public static string? NameOf(int number, SyscallAbi abi)
    {
        for (int i = 0; i < Count; i++)
        {
            if (Number(i, abi) == number)
            {
                return Name(i);
            }
        }

        return null;
    }

    /// <summary>The names in the order of the tables.</summary>
    public static IEnumerable<string> AllNames()
    {
        for (int i = 0; i < Count; i++)
        {
            yield return Name(i);
        }
    }

    private static string Name(int index) => System.Text.Encoding.ASCII.GetString(Names[Offsets[index]..Offsets[index + 1]]);

    private static int Compare(ReadOnlySpan<char> name, ReadOnlySpan<byte> known)
    {
        int common = Math.Min(name.Length, known.Length);
        for (int i = 0; i < common; i++)
        {
            int difference = name[i] - known[i];
            if (difference != 0)
            {
                return difference;
            }
        }

        return name.Length - known.Length;
    }
}
