namespace Hull.Runtime.Systemd;

/// <summary>A property of a unit as StartTransientUnit and SetUnitProperties take it, <c>(sv)</c>.</summary>
/// <param name="Value">A string, boolean, ulong, uint array or byte array: D-Bus <c>s</c>, <c>b</c>, <c>t</c>, <c>au</c>, <c>ay</c>.</param>
internal sealed record UnitProperty(string Name, object Value)
{
    /// <summary>USEC_INFINITY and CGROUP_LIMIT_MAX of systemd: no limit.</summary>
    public const ulong Unlimited = ulong.MaxValue;

    /// <summary>Writes an array of them.</summary>
    public static void WriteAll(BusWriter writer, IReadOnlyList<UnitProperty> properties) => writer.WriteArray(8, array =>
    {
        foreach (UnitProperty property in properties)
        {
            array.Align(8);
            array.WriteText(property.Name);
            property.WriteVariant(array);
        }
    });

    private void WriteVariant(BusWriter writer)
    {
        switch (Value)
        {
            case string text:
                writer.WriteSignature("s");
                writer.WriteText(text);
                break;
            case bool flag:
                writer.WriteSignature("b");
                writer.WriteBoolean(flag);
                break;
            case ulong number:
                writer.WriteSignature("t");
                writer.WriteUInt64(number);
                break;
            case uint[] numbers:
                writer.WriteSignature("au");
                writer.WriteArray(4, array => Array.ForEach(numbers, array.WriteUInt32));
                break;
            case byte[] bytes:
                writer.WriteSignature("ay");
                writer.WriteArray(1, array => Array.ForEach(bytes, array.WriteByte));
                break;
            default:
                throw new System.Diagnostics.UnreachableException($"{Name}: no D-Bus type for {Value.GetType()}");
        }
    }
}
