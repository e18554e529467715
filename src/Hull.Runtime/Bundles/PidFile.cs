using System.Globalization;
using System.Text;
using Hull.Linux;

namespace Hull.Runtime.Bundles;

/// <summary>The file of <c>--pid-file</c>: the number alone, as runc writes it.</summary>
public static class PidFile
{
    private const uint Readable = 0x1A4;

    /// <param name="path">Null: none was asked for. Relative to the current directory.</param>
    public static void Write(string? path, int pid)
    {
        if (path is not null)
        {
            AtomicFile.Write(Path.GetFullPath(path), Encoding.ASCII.GetBytes(pid.ToString(CultureInfo.InvariantCulture)), durable: false, mode: Readable);
        }
    }
}
