using System.Runtime.CompilerServices;

namespace Hull.Linux.Tests;

public sealed class OwnProcessTests
{
    /// <summary>The kernel refuses another size (PR_SET_MM_MAP_SIZE).</summary>
    [Fact]
    public void MemoryMap_HasTheKernelsSize() => Assert.Equal(104, Unsafe.SizeOf<OwnProcess.MemoryMap>());
}
