using System.Net;

namespace Hull.Linux.Netlink.Nftables;

/// <summary>What a rule looks at: a field of the packet, or a fact that the kernel knows of it. <see cref="Nft"/> has them by nft's names.</summary>
/// <remarks>A field of a protocol's header implies that the packet is of that protocol, as in nft: in an inet table <c>ip daddr</c>
/// looks at <c>meta nfproto</c> first.</remarks>
public sealed class NftKey
{
    private readonly Action<NftRuleWriter, uint> _load;
    private readonly Action<NftRuleWriter>? _require;
    private readonly string _text;

    /// <param name="load">Puts it into registers from this one on.</param>
    /// <param name="require">What a packet must be to have it; asked before anything is loaded, for asking takes a register.</param>
    internal NftKey(string text, NftType type, Action<NftRuleWriter, uint> load, Action<NftRuleWriter>? require = null)
        : this(text, [type], load, require)
    {
    }

    private NftKey(string text, NftType[] types, Action<NftRuleWriter, uint> load, Action<NftRuleWriter>? require)
    {
        _text = text;
        _load = load;
        _require = require;
        Types = types;
    }

    /// <summary>One, or those of a concatenation.</summary>
    internal NftType[] Types { get; }

    /// <summary>Several keys as one, to be looked up in a set with such keys: <c>ip daddr . tcp dport</c>.</summary>
    public static NftKey Concat(params NftKey[] parts) => new(
        string.Join(" . ", parts.Select(part => part._text)),
        [.. parts.SelectMany(part => part.Types)],
        (writer, register) =>
        {
            foreach (NftKey part in parts)
            {
                part._load(writer, register);
                register += (uint)part.Types.Sum(type => type.Padded) / 4;
            }
        },
        writer =>
        {
            foreach (NftKey part in parts)
            {
                part._require?.Invoke(writer);
            }
        });

    public NftStatement Is(NftValue value) => new($"{_text} {value}", writer => Compare(writer, NftRuleWriter.Equal, value));

    public NftStatement IsNot(NftValue value) => new($"{_text} != {value}", writer => Compare(writer, NftRuleWriter.NotEqual, value));

    /// <summary>An address within a network.</summary>
    public NftStatement Is(IPNetwork network) => new($"{_text} {network}", writer => Compare(writer, NftRuleWriter.Equal, network));

    /// <summary>An address outside of a network.</summary>
    public NftStatement IsNot(IPNetwork network) => new($"{_text} != {network}", writer => Compare(writer, NftRuleWriter.NotEqual, network));

    /// <summary>A link's name that begins so: <c>iifname "hull*"</c>.</summary>
    public NftStatement StartsWith(string prefix) =>
        new($"{_text} \"{prefix}*\"", writer => Compare(writer, NftRuleWriter.Equal, NftValue.LinkNamePrefix(prefix)));

    /// <summary>Is in a set, by its name in the same table.</summary>
    public NftStatement In(NftSet set) => new($"{_text} @{set.Name}", writer => Lookup(writer, set, null, false));

    /// <summary>Is not in a set.</summary>
    public NftStatement NotIn(NftSet set) => new($"{_text} != @{set.Name}", writer => Lookup(writer, set, null, true));

    /// <summary>Does what a verdict map has for it, and nothing where that has nothing.</summary>
    public NftStatement Vmap(NftSet map) => new($"{_text} vmap @{map.Name}", writer => Lookup(writer, map, NftNumbers.RegisterVerdict, false));

    /// <summary>What a map has for it. A packet for which that is nothing does not match the rule.</summary>
    public NftKey Map(NftSet map) => new($"{_text} map @{map.Name}", [.. map.Data], (writer, register) =>
    {
        _load(writer, register);
        writer.Lookup(map.Name, register, register, inverted: false);
    }, _require);

    public override string ToString() => _text;

    internal void Load(NftRuleWriter writer)
    {
        _require?.Invoke(writer);
        _load(writer, NftNumbers.Register);
    }

    /// <summary>Has one of these bits: <c>ct state established,related</c>.</summary>
    internal NftStatement HasAny(uint bits, string text) => new($"{_text} {text}", writer =>
    {
        Load(writer);
        writer.Mask(bits);
        writer.Compare(NftRuleWriter.NotEqual, stackalloc byte[4]);
    });

    private void Compare(NftRuleWriter writer, uint operation, NftValue value)
    {
        Load(writer);
        writer.Compare(operation, value.Bytes);
        if (operation == NftRuleWriter.Equal)
        {
            writer.Learn(_text, value.Text);
        }
    }

    private void Compare(NftRuleWriter writer, uint operation, IPNetwork network)
    {
        Load(writer);
        Span<byte> bytes = stackalloc byte[16];
        network.BaseAddress.TryWriteBytes(bytes, out int length);
        if (network.PrefixLength < length * 8)
        {
            Span<byte> mask = stackalloc byte[length];
            mask.Clear();
            for (int bit = 0; bit < network.PrefixLength; bit++)
            {
                mask[bit / 8] |= (byte)(0x80 >> (bit % 8));
            }

            writer.Mask(mask);
        }

        writer.Compare(operation, bytes[..length]);
    }

    private void Lookup(NftRuleWriter writer, NftSet set, uint? destination, bool inverted)
    {
        Load(writer);
        writer.Lookup(set.Name, NftNumbers.Register, destination, inverted);
    }
}
