namespace Hull.Networking.Dns;

/// <summary>Types of records that are treated apart (RFC 1035 section 3.2.2, RFC 3596, RFC 6891); any other number is a type as well.</summary>
internal enum DnsType : ushort
{
    A = 1,
    SOA = 6,
    PTR = 12,
    AAAA = 28,
    OPT = 41,
    IXFR = 251,
    AXFR = 252,
    ANY = 255,
}

/// <summary>Classes (RFC 1035 section 3.2.4).</summary>
internal enum DnsClass : ushort
{
    Internet = 1,
    Any = 255,
}

/// <summary>Response codes (RFC 1035 section 4.1.1, RFC 6891 section 9). Those above 15 need EDNS.</summary>
internal enum DnsCode : ushort
{
    NoError = 0,
    FormatError = 1,
    ServerFailure = 2,
    NameError = 3,
    NotImplemented = 4,
    Refused = 5,
    BadVersion = 16,
}

/// <summary>The first 12 bytes of a message (RFC 1035 section 4.1.1): id, flags, and four counts.</summary>
internal static class DnsHeader
{
    public const int Length = 12;

    public const ushort Response = 0x8000;
    public const ushort OpcodeMask = 0x7800;
    public const ushort Authoritative = 0x0400;
    public const ushort Truncated = 0x0200;
    public const ushort RecursionDesired = 0x0100;
    public const ushort RecursionAvailable = 0x0080;
    public const ushort CheckingDisabled = 0x0010;
    public const ushort CodeMask = 0x000F;
}
