using System.Globalization;
using System.Text;

namespace Hull.Linux.Netlink.Nftables;

/// <summary>Changes to tables of nf_tables that happen at once or not at all. <see cref="object.ToString"/> is the same as a
/// script for <c>nft -f</c>.</summary>
/// <remarks>Not thread-safe. Commands act in order. As in nft, adding what is there already changes nothing, except that rules are
/// added once more; removing what is not there fails the whole. "Add, delete, add" of a table makes it anew whatever there was.</remarks>
public sealed class NftTransaction : IDisposable
{
    // An attribute holds 64 KiB; an element with a range of IPv6 addresses and ports, and a verdict, takes some 200 bytes.
    private const int ElementsPerMessage = 128;

    private readonly NetlinkWriter _writer = new();
    private readonly List<string> _commands = [];
    private readonly Dictionary<NftTable, NftContent> _contents = [];
    private uint _lastSet;

    /// <param name="generation">What <see cref="NftSocket.Generation"/> said when the facts were read that this stands on: where
    /// something changed since, the commit fails with ERESTART. 0 does not look.</param>
    public NftTransaction(uint generation = 0)
    {
        // struct nfgenmsg: family, version, resource (big-endian): the subsystem that the batch is for.
        _writer.Message(NftNumbers.BatchBegin, NetlinkFlags.Request, [0, 0, 0, (byte)NftNumbers.Subsystem]);
        if (generation != 0)
        {
            _writer.PutBigEndian32(NftNumbers.BatchGeneration, generation);
        }
    }

    /// <summary>What a table has after the commit, if it had nothing of it before.</summary>
    public NftContent Content(NftTable table)
    {
        if (!_contents.TryGetValue(table, out NftContent? content))
        {
            _contents.Add(table, content = new NftContent());
        }

        return content;
    }

    public void AddTable(NftTable table)
    {
        Begin(table, NftNumbers.NewTable, NetlinkFlags.Create, $"add table {table}");
        _writer.PutString(1, table.Name);
        _writer.PutBigEndian32(2, 0);
    }

    /// <summary>With all that is in it.</summary>
    public void DeleteTable(NftTable table)
    {
        Begin(table, NftNumbers.DeleteTable, NetlinkFlags.None, $"delete table {table}");
        _writer.PutString(1, table.Name);
        Content(table).Clear();
    }

    public void AddChain(NftChain chain)
    {
        Begin(chain.Table, NftNumbers.NewChain, NetlinkFlags.Create, $"add chain {chain.Definition}");
        _writer.PutString(1, chain.Table.Name);
        _writer.PutString(3, chain.Name);
        if (chain.Hook is NftHook hook)
        {
            using (_writer.Open(4))
            {
                _writer.PutBigEndian32(1, (uint)hook);
                _writer.PutBigEndian32(2, (uint)chain.Priority);
            }

            _writer.PutBigEndian32(5, chain.DropByDefault ? 0u : 1u);
            _writer.PutString(7, chain.Type);
        }

        Content(chain.Table).AddChain(chain.Name);
    }

    /// <summary>Removes the rules of a chain.</summary>
    public void FlushChain(NftChain chain)
    {
        Begin(chain.Table, NftNumbers.DeleteRule, NetlinkFlags.None, $"flush chain {chain.Table} {chain.Name}");
        _writer.PutString(1, chain.Table.Name);
        _writer.PutString(2, chain.Name);
        Content(chain.Table).FlushChain(chain.Name);
    }

    /// <summary>Removes a chain and its rules.</summary>
    public void DeleteChain(NftChain chain)
    {
        Begin(chain.Table, NftNumbers.DeleteChain, NetlinkFlags.None, $"delete chain {chain.Table} {chain.Name}");
        _writer.PutString(1, chain.Table.Name);
        _writer.PutString(3, chain.Name);
        Content(chain.Table).RemoveChain(chain.Name);
    }

    /// <summary>Adds a rule at the end of a chain.</summary>
    public void AddRule(NftChain chain, params ReadOnlySpan<NftStatement> statements) => NewRule("add", NetlinkFlags.Append, chain, statements);

    /// <summary>Adds a rule at the start of a chain.</summary>
    public void InsertRule(NftChain chain, params ReadOnlySpan<NftStatement> statements) => NewRule("insert", NetlinkFlags.None, chain, statements);

    /// <param name="handle">The kernel's number of the rule, as <see cref="NftSocket.Jumps"/> tells it.</param>
    public void DeleteRule(NftChain chain, ulong handle)
    {
        Begin(chain.Table, NftNumbers.DeleteRule, NetlinkFlags.None, string.Create(CultureInfo.InvariantCulture, $"delete rule {chain.Table} {chain.Name} handle {handle}"));
        _writer.PutString(1, chain.Table.Name);
        _writer.PutString(2, chain.Name);
        _writer.PutBigEndian64(3, handle);
        Content(chain.Table).RemoveRule(chain.Name);
    }

    public void AddSet(NftSet set)
    {
        Begin(set.Table, NftNumbers.NewSet, NetlinkFlags.Create, $"add {set.Word} {set.Definition}");
        set.Write(_writer, ++_lastSet);
        Content(set.Table).AddSet(set.Name);
    }

    /// <summary>No rule may use it any more.</summary>
    public void DeleteSet(NftSet set)
    {
        Begin(set.Table, NftNumbers.DeleteSet, NetlinkFlags.None, $"delete {set.Word} {set.Table} {set.Name}");
        _writer.PutString(1, set.Table.Name);
        _writer.PutString(2, set.Name);
        Content(set.Table).RemoveSet(set.Name);
    }

    /// <summary>Removes all elements of a set.</summary>
    public void FlushSet(NftSet set)
    {
        Begin(set.Table, NftNumbers.DeleteElement, NetlinkFlags.None, $"flush {set.Word} {set.Table} {set.Name}");
        _writer.PutString(1, set.Table.Name);
        _writer.PutString(2, set.Name);
        Content(set.Table).AddSet(set.Name).Clear();
    }

    /// <exception cref="SyscallException">At the commit: EEXIST where a map has something else for the key.</exception>
    public void AddElements(NftSet set, params IReadOnlyCollection<NftElement> elements)
    {
        Elements(NftNumbers.NewElement, NetlinkFlags.Create, "add", set, elements);
        Content(set.Table).AddSet(set.Name).UnionWith(elements.SelectMany(element => element.Facts(set)));
    }

    /// <exception cref="SyscallException">At the commit: ENOENT where one is not there.</exception>
    public void DeleteElements(NftSet set, params IReadOnlyCollection<NftElement> elements)
    {
        Elements(NftNumbers.DeleteElement, NetlinkFlags.None, "delete", set, elements);
        Content(set.Table).AddSet(set.Name).ExceptWith(elements.SelectMany(element => element.Facts(set)));
    }

    /// <summary>The commands for <c>nft -f</c>, one a line.</summary>
    public override string ToString() => string.Concat(_commands.Select(command => command + "\n"));

    public void Dispose() => _writer.Dispose();

    /// <summary>The whole batch. No command can be added afterwards.</summary>
    internal NetlinkWriter Finish()
    {
        _writer.AddFlag(NetlinkFlags.Acknowledge);
        _writer.Message(NftNumbers.BatchEnd, NetlinkFlags.Request, [0, 0, 0, (byte)NftNumbers.Subsystem]);
        return _writer;
    }

    internal bool IsEmpty => _commands.Count == 0;

    /// <summary>The command of a message of the batch; null for its begin and end.</summary>
    internal string? Command(int message) => message >= 1 && message <= _commands.Count ? _commands[message - 1] : null;

    private void NewRule(string verb, NetlinkFlags place, NftChain chain, ReadOnlySpan<NftStatement> statements)
    {
        StringBuilder text = new($"{verb} rule {chain.Table} {chain.Name}");
        foreach (NftStatement statement in statements)
        {
            text.Append(' ').Append(statement);
        }

        Begin(chain.Table, NftNumbers.NewRule, NetlinkFlags.Create | place, text.ToString());
        _writer.PutString(1, chain.Table.Name);
        _writer.PutString(2, chain.Name);
        using (_writer.Open(4))
        {
            NftRuleWriter rule = new(_writer, chain.Table.Family);
            foreach (NftStatement statement in statements)
            {
                statement.Write(rule);
            }
        }

        Content(chain.Table).AddRule(chain.Name);
    }

    private void Elements(int message, NetlinkFlags flags, string verb, NftSet set, IReadOnlyCollection<NftElement> elements)
    {
        foreach (NftElement[] chunk in elements.Chunk(ElementsPerMessage))
        {
            Begin(set.Table, message, flags, $"{verb} element {set.Table} {set.Name} {{ {string.Join(", ", chunk.Select(element => element.ToString()))} }}");
            _writer.PutString(1, set.Table.Name);
            _writer.PutString(2, set.Name);
            using (_writer.Open(3))
            {
                foreach (NftElement element in chunk)
                {
                    element.Write(_writer, set);
                }
            }
        }
    }

    private void Begin(NftTable table, int message, NetlinkFlags flags, string command)
    {
        _commands.Add(command);
        _writer.Message(NftNumbers.Type(message), NetlinkFlags.Request | flags, [(byte)table.Family, 0, 0, 0]);
    }
}
