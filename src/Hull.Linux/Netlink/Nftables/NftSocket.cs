namespace Hull.Linux.Netlink.Nftables;

/// <summary>The nf_tables of one network namespace. Synchronous, not thread-safe.</summary>
/// <remarks>Errors are <see cref="SyscallException"/>s: the operation is <c>nf_tables</c>, the target the command as nft writes it.</remarks>
public sealed class NftSocket : IDisposable
{
    private const int LongestCommand = 300;

    private readonly NetlinkSocket _socket;

    private NftSocket(NetlinkSocket socket) => _socket = socket;

    /// <param name="networkNamespace">Null is the calling thread's.</param>
    /// <exception cref="SyscallException">EPROTONOSUPPORT where the kernel has no netfilter.</exception>
    public static NftSocket Open(NetworkNamespace? networkNamespace = null) =>
        new(NetlinkSocket.Open(NetlinkProtocol.Netfilter, networkNamespace));

    /// <summary>Does all of it at once, or nothing. An empty transaction does nothing.</summary>
    /// <exception cref="SyscallException">The first command that failed: ENOENT where it names what is not there; EOPNOTSUPP where
    /// the kernel lacks an expression; EPERM without CAP_NET_ADMIN; ERESTART where the generation is another.</exception>
    public void Commit(NftTransaction transaction)
    {
        if (!transaction.IsEmpty && _socket.Transact(transaction.Finish()) is (int index, Errno errno, var text))
        {
            string command = transaction.Command(index) ?? "commit";
            throw new SyscallException("nf_tables", command.Length > LongestCommand ? $"{command[..LongestCommand]}…" : command, errno, text);
        }
    }

    /// <summary>A number that every committed change of the namespace's tables raises, whoever made it.</summary>
    public uint Generation()
    {
        using NetlinkWriter request = Request(NftNumbers.GetGeneration, NetlinkFlags.Acknowledge, 0);
        Box? generation = _socket.TryGet(request, static message => Number(message, NftNumbers.NewGeneration, 1), out Errno errno, out string? text);
        return generation?.Number ?? throw new SyscallException("nf_tables", "get generation", errno, text);
    }

    /// <summary>Every table of the namespace.</summary>
    public List<NftTable> Tables()
    {
        using NetlinkWriter request = Request(NftNumbers.GetTable, NetlinkFlags.Dump, 0);
        return _socket.Dump(request, static message => Name(message, NftNumbers.NewTable, 1, null) is string name
            ? new NftTable((NftFamily)message.Payload[0], name) : null, "nf_tables", "list tables");
    }

    /// <summary>What is in a table; null where it is not there.</summary>
    /// <remarks>Several dumps: compare <see cref="Generation"/> before and after where it must be of one moment.</remarks>
    public NftContent? Read(NftTable table)
    {
        if (!Tables().Contains(table))
        {
            return null;
        }

        NftContent content = new();
        foreach (string chain in Names(table, NftNumbers.GetChain, NftNumbers.NewChain, 1, 3, "list chains"))
        {
            content.FlushChain(chain);
        }

        foreach (string chain in Names(table, NftNumbers.GetRule, NftNumbers.NewRule, 1, 2, "list rules"))
        {
            content.AddRule(chain);
        }

        foreach (string set in Names(table, NftNumbers.GetSet, NftNumbers.NewSet, 1, 2, "list sets"))
        {
            content.AddSet(set).UnionWith(Elements(table, set));
        }

        return content;
    }

    /// <summary>Whether a chain of that name is there, whoever made it.</summary>
    public bool Contains(NftChain chain)
    {
        using NetlinkWriter request = Request(NftNumbers.GetChain, NetlinkFlags.Acknowledge, (byte)chain.Table.Family);
        request.PutString(1, chain.Table.Name);
        request.PutString(3, chain.Name);
        string? name = _socket.TryGet(request, static message => Name(message, NftNumbers.NewChain, 3, null), out Errno errno, out string? text);
        return errno switch
        {
            Errno.None => name is not null,
            Errno.ENOENT => false,
            _ => throw new SyscallException("nf_tables", $"list chain {chain.Table} {chain.Name}", errno, text),
        };
    }

    /// <summary>The handles of a chain's rules that jump to another chain of its table.</summary>
    public IReadOnlyList<ulong> Jumps(NftChain from, NftChain to)
    {
        using NetlinkWriter request = Request(NftNumbers.GetRule, NetlinkFlags.Dump, (byte)from.Table.Family);
        request.PutString(1, from.Table.Name);
        request.PutString(2, from.Name);
        NftVerdict jump = NftVerdict.Jump(to);
        List<RuleVerdict> rules = _socket.Dump(request, RuleVerdict.Read, "nf_tables", $"list chain {from.Table} {from.Name}");
        return [.. rules.FindAll(rule => rule.Verdict == jump.ToString()).Select(static rule => rule.Handle)];
    }

    public void Dispose() => _socket.Dispose();

    private List<string> Names(NftTable table, int ask, int answer, ushort tableNumber, ushort nameNumber, string operation)
    {
        using NetlinkWriter request = Request(ask, NetlinkFlags.Dump, (byte)table.Family);
        request.PutString(tableNumber, table.Name);
        // Chains are dumped for all tables of the family, whatever the request names.
        return _socket.Dump(request, message => Name(message, answer, nameNumber, table.Name), "nf_tables", $"{operation} {table}");
    }

    private List<string> Elements(NftTable table, string set)
    {
        List<string> elements = [];
        using NetlinkWriter request = Request(NftNumbers.GetElement, NetlinkFlags.Dump, (byte)table.Family);
        request.PutString(1, table.Name);
        request.PutString(2, set);
        List<List<string>> lists = _socket.Dump(request, ElementList, "nf_tables", $"list set {table} {set}");
        foreach (List<string> list in lists)
        {
            elements.AddRange(list);
        }

        return elements;
    }

    private static List<string>? ElementList(NetlinkMessage message)
    {
        if (message.Type != NftNumbers.Type(NftNumbers.NewElement))
        {
            return null;
        }

        List<string> list = [];
        NetlinkReader attributes = message.Attributes(NftNumbers.FixedBytes);
        while (attributes.Next())
        {
            if (attributes.Type == 3)
            {
                for (NetlinkReader elements = attributes.Nested; elements.Next();)
                {
                    string element = NftElement.Read(elements.Nested);
                    // nft(8) starts a set of intervals with an end at zero, which says nothing.
                    if (element.AsSpan().TrimStart('0') is not " end")
                    {
                        list.Add(element);
                    }
                }
            }
        }

        return list;
    }

    /// <param name="table">Only objects of this table, by attribute 1; null does not look.</param>
    private static string? Name(NetlinkMessage message, int type, ushort number, string? table)
    {
        if (message.Type != NftNumbers.Type(type))
        {
            return null;
        }

        string? name = null;
        NetlinkReader attributes = message.Attributes(NftNumbers.FixedBytes);
        while (attributes.Next())
        {
            if (attributes.Type == number)
            {
                name = attributes.String;
            }
            else if (attributes.Type == 1 && table is not null && attributes.String != table)
            {
                return null;
            }
        }

        return name;
    }

    private static Box? Number(NetlinkMessage message, int type, ushort number)
    {
        NetlinkReader attributes = message.Attributes(NftNumbers.FixedBytes);
        while (message.Type == NftNumbers.Type(type) && attributes.Next())
        {
            if (attributes.Type == number)
            {
                return new Box(attributes.BigEndian32);
            }
        }

        return null;
    }

    private static NetlinkWriter Request(int message, NetlinkFlags flags, byte family)
    {
        NetlinkWriter request = new();
        request.Message(NftNumbers.Type(message), NetlinkFlags.Request | flags, [family, 0, 0, 0]);
        return request;
    }

    private sealed record Box(uint Number);

    /// <summary>A rule, by its handle, and what it does at its end: null where that is no verdict.</summary>
    private sealed record RuleVerdict(ulong Handle, string? Verdict)
    {
        private const ushort HandleNumber = 3;
        private const ushort Expressions = 4;
        private const ushort ImmediateData = 2;

        public static RuleVerdict? Read(NetlinkMessage message)
        {
            if (message.Type != NftNumbers.Type(NftNumbers.NewRule))
            {
                return null;
            }

            ulong handle = 0;
            string? verdict = null;
            NetlinkReader attributes = message.Attributes(NftNumbers.FixedBytes);
            while (attributes.Next())
            {
                if (attributes.Type == HandleNumber)
                {
                    handle = attributes.BigEndian64;
                }
                else if (attributes.Type == Expressions)
                {
                    for (NetlinkReader list = attributes.Nested; list.Next();)
                    {
                        verdict = VerdictOf(list.Nested) ?? verdict;
                    }
                }
            }

            return new RuleVerdict(handle, verdict);
        }

        private static string? VerdictOf(NetlinkReader expression)
        {
            bool isImmediate = false;
            while (expression.Next())
            {
                if (expression.Type == NftNumbers.ExpressionName)
                {
                    isImmediate = expression.String == "immediate";
                }
                else if (expression.Type == NftNumbers.ExpressionData && isImmediate)
                {
                    for (NetlinkReader data = expression.Nested; data.Next();)
                    {
                        if (data.Type == ImmediateData)
                        {
                            for (NetlinkReader value = data.Nested; value.Next();)
                            {
                                if (value.Type == NftNumbers.DataVerdict)
                                {
                                    return NftVerdict.Read(value.Nested);
                                }
                            }
                        }
                    }
                }
            }

            return null;
        }
    }
}
