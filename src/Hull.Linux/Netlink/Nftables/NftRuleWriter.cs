using System.Buffers.Binary;

namespace Hull.Linux.Netlink.Nftables;

/// <summary>The expressions of one rule, as the kernel's virtual machine takes them: load a register, compare it, act.</summary>
internal sealed class NftRuleWriter(NetlinkWriter writer, NftFamily family)
{
    public const uint Equal = 0;
    public const uint NotEqual = 1;

    // What the conditions so far have made sure of.
    private readonly HashSet<string> _known = [];

    public NftFamily Family { get; } = family;

    /// <summary>Remembers that a key has a value, so that it need not be asked again.</summary>
    public void Learn(string key, string value) => _known.Add($"{key} {value}");

    /// <summary>Makes sure of a condition that a header's field implies.</summary>
    public void Require(NftStatement condition)
    {
        if (_known.Add(condition.ToString()))
        {
            condition.Write(this);
        }
    }

    public void Payload(uint register, uint place, uint offset, uint length) => Numbers("payload", (1, register), (2, place), (3, offset), (4, length));

    public void Compare(uint operation, ReadOnlySpan<byte> value)
    {
        using Expression expression = Begin("cmp");
        writer.PutBigEndian32(1, NftNumbers.Register);
        writer.PutBigEndian32(2, operation);
        Data(3, value);
    }

    public void Mask(uint bits)
    {
        Span<byte> mask = stackalloc byte[4];
        BinaryPrimitives.WriteUInt32LittleEndian(mask, bits);
        Mask(mask);
    }

    public void Mask(ReadOnlySpan<byte> mask)
    {
        using Expression expression = Begin("bitwise");
        writer.PutBigEndian32(1, NftNumbers.Register);
        writer.PutBigEndian32(2, NftNumbers.Register);
        writer.PutBigEndian32(3, (uint)mask.Length);
        Data(4, mask);
        Span<byte> zero = stackalloc byte[mask.Length];
        zero.Clear();
        Data(5, zero);
    }

    public void Lookup(string set, uint source, uint? destination, bool inverted)
    {
        using Expression expression = Begin("lookup");
        writer.PutString(1, set);
        writer.PutBigEndian32(2, source);
        if (destination is uint register)
        {
            writer.PutBigEndian32(3, register);
        }

        if (inverted)
        {
            writer.PutBigEndian32(5, 1);
        }
    }

    public void Immediate(uint register, ReadOnlySpan<byte> value)
    {
        using Expression expression = Begin("immediate");
        writer.PutBigEndian32(1, register);
        Data(2, value);
    }

    public void Verdict(NftVerdict verdict)
    {
        using Expression expression = Begin("immediate");
        writer.PutBigEndian32(1, NftNumbers.RegisterVerdict);
        using (writer.Open(2))
        {
            verdict.Write(writer);
        }
    }

    /// <summary>An expression whose attributes are all numbers of 32 bits.</summary>
    public void Numbers(string name, params (ushort Number, uint Value)[] attributes)
    {
        using Expression expression = Begin(name);
        foreach ((ushort number, uint value) in attributes)
        {
            writer.PutBigEndian32(number, value);
        }
    }

    /// <summary>As <see cref="Numbers"/>, for attributes of 8, 32 and 64 bits.</summary>
    public void Write(string name, Action<NetlinkWriter> attributes)
    {
        using Expression expression = Begin(name);
        attributes(writer);
    }

    private void Data(ushort number, ReadOnlySpan<byte> value)
    {
        using (writer.Open(number))
        {
            writer.Put(NftNumbers.DataValue, value);
        }
    }

    private Expression Begin(string name)
    {
        NetlinkWriter.Nest item = writer.Open(NftNumbers.ListItem);
        writer.PutString(NftNumbers.ExpressionName, name);
        return new Expression(item, writer.Open(NftNumbers.ExpressionData));
    }

    private readonly struct Expression(NetlinkWriter.Nest item, NetlinkWriter.Nest data) : IDisposable
    {
        public void Dispose()
        {
            data.Dispose();
            item.Dispose();
        }
    }
}
