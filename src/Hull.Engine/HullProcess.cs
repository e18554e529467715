using System.Runtime.InteropServices;

namespace Hull.Engine;

/// <summary>Who we are.</summary>
internal static partial class HullProcess
{
    /// <summary>Effective user 0.</summary>
    public static bool IsRoot => geteuid() == 0;

    [LibraryImport("libc")]
    private static partial uint geteuid();
}
