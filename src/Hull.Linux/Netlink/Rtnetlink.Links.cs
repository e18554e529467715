using System.Buffers.Binary;
using System.Text;

namespace Hull.Linux.Netlink;

public sealed partial class Rtnetlink
{
    private const NetlinkFlags Change = NetlinkFlags.Request | NetlinkFlags.Acknowledge;

    // RTEXT_FILTER_SKIP_STATS: the counters are most of a dump, and nobody here reads them.
    private const uint SkipStatistics = 8;

    /// <summary>Makes a link. A veth's peer is born in the same message, in its own namespace.</summary>
    /// <exception cref="SyscallException">EEXIST where the name is taken; ENODEV where a parent or master is not there; EOPNOTSUPP
    /// where the kernel lacks the kind.</exception>
    public void AddLink(LinkSettings link, LinkKind kind)
    {
        Span<byte> ifinfomsg = stackalloc byte[RouteMessage.LinkBytes];
        ifinfomsg.Clear();
        link.WriteFixedPart(ifinfomsg);
        using NetlinkWriter request = new();
        request.Message(RouteMessage.NewLink, Change | NetlinkFlags.Create | NetlinkFlags.Exclusive, ifinfomsg);
        link.Write(request);
        if (kind.Parent is int parent)
        {
            request.PutUInt32(LinkAttribute.Lower, (uint)parent);
        }

        using (request.Open(LinkAttribute.Info))
        {
            request.PutString(LinkAttribute.InfoKind, kind.Name);
            using (request.Open(LinkAttribute.InfoData))
            {
                kind.WriteData(request);
            }
        }

        Errno errno = _socket.TryExecute(request, out string? text);
        if (errno != Errno.None)
        {
            string names = kind is VethKind veth ? $"{link.Name} with peer {veth.Peer.Name}" : link.Name;
            throw new SyscallException("RTM_NEWLINK", $"{kind.Name} {names}", errno, text, Hint(errno, link, kind));
        }
    }

    /// <summary>Every link of the namespace.</summary>
    public List<Link> Links()
    {
        using NetlinkWriter request = new();
        request.Message(RouteMessage.GetLink, NetlinkFlags.Request | NetlinkFlags.Dump, new byte[RouteMessage.LinkBytes]);
        request.PutUInt32(LinkAttribute.ExtendedMask, SkipStatistics);
        return _socket.Dump(request, Link.Parse, "RTM_GETLINK", "all links");
    }

    /// <summary>A link by its name; null where there is none.</summary>
    public Link? FindLink(string name)
    {
        using NetlinkWriter request = new();
        request.Message(RouteMessage.GetLink, Change, new byte[RouteMessage.LinkBytes]);
        request.PutString(LinkAttribute.Name, name);
        return FindLink(request, name);
    }

    /// <summary>A link by its index; null where there is none.</summary>
    public Link? FindLink(int index)
    {
        using NetlinkWriter request = new();
        request.Message(RouteMessage.GetLink, Change, About(index, stackalloc byte[RouteMessage.LinkBytes]));
        return FindLink(request, $"link {index}");
    }

    /// <summary>A link that must be there.</summary>
    /// <exception cref="SyscallException">ENODEV where it is not.</exception>
    public Link GetLink(string name) => FindLink(name) ?? throw new SyscallException("RTM_GETLINK", name, Errno.ENODEV);

    public void SetUp(int index) => SetFlags(index, LinkFlags.Up);

    public void SetDown(int index) => SetFlags(index, LinkFlags.None);

    /// <summary>Makes a link a port of a bridge; null takes it out of the one that it is in.</summary>
    public void SetMaster(int index, int? master) =>
        SetLink(index, request => request.PutUInt32(LinkAttribute.Master, (uint)(master ?? 0)));

    /// <remarks>Kernels before 6.2 rename a link only while it is down (EBUSY).</remarks>
    public void Rename(int index, string name) => SetLink(index, request => request.PutString(LinkAttribute.Name, name));

    /// <param name="mtu">Bytes.</param>
    /// <exception cref="SyscallException">EINVAL, or ERANGE, outside what the kind of link can do.</exception>
    public void SetMtu(int index, int mtu) => SetLink(index, request => request.PutUInt32(LinkAttribute.Mtu, (uint)mtu));

    public void SetMac(int index, MacAddress mac) => SetLink(index, request =>
    {
        Span<byte> bytes = stackalloc byte[MacAddress.Length];
        mac.CopyTo(bytes);
        request.Put(LinkAttribute.Address, bytes);
    });

    /// <summary>Writes a note on a link, of up to 255 bytes, for who reads <c>ip link</c>.</summary>
    public void SetAlias(int index, string text) => SetLink(index, request => request.PutString(LinkAttribute.Alias, text));

    /// <summary>Gives a link another name. It must be down before Linux 6.2.</summary>
    /// <exception cref="SyscallException">EEXIST where the name is taken.</exception>
    public void SetName(int index, string name) => SetLink(index, request => request.PutString(LinkAttribute.Name, name));

    /// <summary>Moves a link into another namespace, under a new name where one is given. It arrives switched off and without
    /// addresses, and its index may be another.</summary>
    /// <exception cref="SyscallException">EEXIST where the name is taken there.</exception>
    public void Move(int index, NetworkNamespace target, string? newName = null) => SetLink(index, request =>
    {
        request.PutUInt32(LinkAttribute.NamespaceDescriptor, (uint)Files.Fd(target.Handle));
        if (newName is not null)
        {
            request.PutString(LinkAttribute.Name, newName);
        }
    });

    /// <summary>Sets how a bridge treats this port of its.</summary>
    /// <exception cref="SyscallException">EINVAL where the link is no port of a bridge.</exception>
    public void SetBridgePort(int index, BridgePort settings) => SetLink(index, request =>
    {
        using (request.Open(LinkAttribute.Info))
        {
            request.PutString(LinkAttribute.InfoSlaveKind, "bridge");
            using (request.Open(LinkAttribute.InfoSlaveData))
            {
                settings.Write(request);
            }
        }
    });

    /// <summary>Removes a link; a veth's peer goes with it. False where it is gone already.</summary>
    /// <exception cref="SyscallException">EOPNOTSUPP for links that the kernel or a driver made.</exception>
    public bool DeleteLink(int index)
    {
        using NetlinkWriter request = new();
        request.Message(RouteMessage.DeleteLink, Change, About(index, stackalloc byte[RouteMessage.LinkBytes]));
        return DeleteLink(request, $"link {index}");
    }

    /// <inheritdoc cref="DeleteLink(int)"/>
    public bool DeleteLink(string name)
    {
        using NetlinkWriter request = new();
        request.Message(RouteMessage.DeleteLink, Change, new byte[RouteMessage.LinkBytes]);
        request.PutString(LinkAttribute.Name, name);
        return DeleteLink(request, name);
    }

    private bool DeleteLink(NetlinkWriter request, string target) => _socket.TryExecute(request, out string? text) switch
    {
        Errno.None => true,
        Errno.ENODEV => false,
        Errno errno => throw new SyscallException("RTM_DELLINK", target, errno, text),
    };

    private Link? FindLink(NetlinkWriter request, string target)
    {
        request.PutUInt32(LinkAttribute.ExtendedMask, SkipStatistics);
        Link? link = _socket.TryGet(request, Link.Parse, out Errno errno, out string? text);
        return errno is Errno.None or Errno.ENODEV ? link : throw new SyscallException("RTM_GETLINK", target, errno, text);
    }

    private void SetFlags(int index, LinkFlags up)
    {
        Span<byte> ifinfomsg = About(index, stackalloc byte[RouteMessage.LinkBytes]);
        BinaryPrimitives.WriteUInt32LittleEndian(ifinfomsg[8..], (uint)up);
        BinaryPrimitives.WriteUInt32LittleEndian(ifinfomsg[12..], (uint)LinkFlags.Up);
        using NetlinkWriter request = new();
        request.Message(RouteMessage.NewLink, Change, ifinfomsg);
        _socket.Execute(request, "RTM_NEWLINK", $"link {index}");
    }

    private void SetLink(int index, Action<NetlinkWriter> write)
    {
        using NetlinkWriter request = new();
        request.Message(RouteMessage.NewLink, Change, About(index, stackalloc byte[RouteMessage.LinkBytes]));
        write(request);
        _socket.Execute(request, "RTM_NEWLINK", $"link {index}");
    }

    /// <summary>A struct ifinfomsg that names a link.</summary>
    private static Span<byte> About(int index, Span<byte> ifinfomsg)
    {
        ifinfomsg.Clear();
        BinaryPrimitives.WriteInt32LittleEndian(ifinfomsg[4..], index);
        return ifinfomsg;
    }

    private static string? Hint(Errno errno, LinkSettings link, LinkKind kind)
    {
        string[] names = kind is VethKind veth ? [link.Name, veth.Peer.Name] : [link.Name];
        return names.FirstOrDefault(name => !IsName(name)) is string bad
            ? $"\"{bad}\" cannot be a link's name: 1 to 15 bytes, without '/', ':' and white space"
            : errno == Errno.EOPNOTSUPP ? $"the kernel needs the module {kind.Name}" : null;
    }

    /// <summary>The kernel's own rule, dev_valid_name().</summary>
    internal static bool IsName(string name) => name is not ("" or "." or "..")
        && Encoding.UTF8.GetByteCount(name) <= 15 && !name.Any(letter => letter is '/' or ':' || char.IsWhiteSpace(letter));
}
