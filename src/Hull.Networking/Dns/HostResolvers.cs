using System.Text;
using Hull.Linux;
using Microsoft.Win32.SafeHandles;

namespace Hull.Networking.Dns;

/// <summary>The servers of the host's resolv.conf, which changes while containers run: a VPN comes up, a laptop moves. Not thread-safe.</summary>
/// <param name="path"><c>/etc/resolv.conf</c>, or what it leads to where it is a symbolic link.</param>
public sealed class HostResolvers(string path)
{
    private const int Largest = 1 << 20;

    private UpstreamSet _servers = UpstreamSet.None;
    private FileMetadata? _read;

    /// <summary>The servers now; the same object while the file stays the same. One stat(2).</summary>
    /// <returns>None where the file is missing.</returns>
    public UpstreamSet Current()
    {
        FileMetadata? now = Files.TryStatAt(null, path, followLinks: true, out _);
        if (now != _read)
        {
            // What changes while it is read has another version by the next question.
            _read = now;
            _servers = Read();
        }

        return _servers;
    }

    private UpstreamSet Read()
    {
        using SafeFileHandle? file = Files.TryOpenAt(null, path, OpenFlags.ReadOnly, 0, out _);
        return file is null ? UpstreamSet.None : UpstreamSet.From(ResolvConf.Parse(Encoding.UTF8.GetString(Files.ReadAll(file, Largest, path))), fromContainer: false);
    }
}
