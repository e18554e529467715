using System.Globalization;
using System.Net;
using System.Text;
using Hull.Linux;
using Microsoft.Win32.SafeHandles;

namespace Hull.Networking.Ports;

/// <summary>Who has a port of this host: the process behind a socket, by proc_net(5) and the descriptors of all processes.</summary>
public static class SocketHolder
{
    private const int LargestTable = 64 << 20;

    // include/net/tcp_states.h; a bound UDP socket is in state 7.
    private const string Listening = "0A";
    private const string Unconnected = "07";

    /// <summary>The process that holds a port at an address, or at all addresses.</summary>
    /// <returns>Null where none is found: it ended meanwhile, or is in another namespace.</returns>
    public static int? Find(string protocol, IPEndPoint place)
    {
        HashSet<string> inodes = [.. InodesOf(protocol, place)];
        return inodes.Count == 0 ? null : Processes().FirstOrDefault(pid => Holds(pid, inodes)) is var found and > 0 ? found : null;
    }

    private static IEnumerable<string> InodesOf(string protocol, IPEndPoint place)
    {
        string state = protocol == "tcp" ? Listening : Unconnected;
        foreach (string table in (string[])[protocol, protocol + "6"])
        {
            string path = "/proc/net/" + table;
            using SafeFileHandle? file = Files.TryOpenAt(null, path, OpenFlags.ReadOnly, 0, out _);
            if (file is null)
            {
                // A kernel without IPv6.
                continue;
            }

            foreach (string line in Encoding.ASCII.GetString(Files.ReadAll(file, LargestTable, path)).Split('\n').Skip(1))
            {
                // sl local_address rem_address st tx:rx tr:when retrnsmt uid timeout inode
                string[] fields = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
                if (fields.Length > 9 && fields[3] == state && IsAt(fields[1], place))
                {
                    yield return $"socket:[{fields[9]}]";
                }
            }
        }
    }

    /// <param name="local">Address and port in hexadecimal digits; only an address of zeros is one for all.</param>
    private static bool IsAt(string local, IPEndPoint place)
    {
        int colon = local.IndexOf(':', StringComparison.Ordinal);
        return int.Parse(local.AsSpan(colon + 1), NumberStyles.HexNumber, CultureInfo.InvariantCulture) == place.Port
            && (IsAny(place.Address) || !local.AsSpan(0, colon).ContainsAnyExcept('0') || AddressOf(local[..colon]).Equals(place.Address));
    }

    private static bool IsAny(IPAddress address) => address.Equals(IPAddress.Any) || address.Equals(IPAddress.IPv6Any);

    /// <summary>Words of 32 bits, each as this little-endian machine has it.</summary>
    private static IPAddress AddressOf(string digits)
    {
        byte[] bytes = Convert.FromHexString(digits);
        for (int i = 0; i < bytes.Length; i += 4)
        {
            bytes.AsSpan(i, 4).Reverse();
        }

        IPAddress address = new(bytes);
        return address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;
    }

    private static IEnumerable<int> Processes()
    {
        using SafeFileHandle directory = Files.Open("/proc", OpenFlags.ReadOnly | OpenFlags.Directory);
        foreach (DirectoryEntry entry in DirectoryListing.Read(directory, "/proc"))
        {
            if (int.TryParse(entry.Name, NumberStyles.None, CultureInfo.InvariantCulture, out int pid))
            {
                yield return pid;
            }
        }
    }

    private static bool Holds(int pid, HashSet<string> inodes)
    {
        string path = string.Create(CultureInfo.InvariantCulture, $"/proc/{pid}/fd");
        // It may have ended, or be another user's where we are not root.
        using SafeFileHandle? directory = Files.TryOpenAt(null, path, OpenFlags.ReadOnly | OpenFlags.Directory, 0, out _);
        return directory is not null
            && DirectoryListing.Read(directory, path).Any(entry =>
                Files.TryReadLink(directory, Encoding.ASCII.GetString(entry.Name), out _) is { } target && inodes.Contains(target));
    }
}
