using System.Runtime.CompilerServices;

namespace Hull.Images.Tests;

/// <summary>A test that changes owners or makes device nodes; skipped, with that reason, for another user than root.</summary>
internal sealed class RootFactAttribute : FactAttribute
{
    public RootFactAttribute([CallerFilePath] string? file = null, [CallerLineNumber] int line = -1)
        : base(file, line)
    {
        if (!Environment.IsPrivilegedProcess)
        {
            Skip = "needs root: chown, device nodes or trusted attributes";
        }
    }
}
