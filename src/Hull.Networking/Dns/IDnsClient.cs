using Hull.Linux;

namespace Hull.Networking.Dns;

/// <summary>Takes the answers to what it asked, in any order, perhaps after it has gone.</summary>
internal interface IDnsClient
{
    /// <param name="from">The address that asked, where the client is many (UDP).</param>
    /// <param name="message">Valid during the call.</param>
    void Take(in SocketEndpoint from, ReadOnlySpan<byte> message);
}
