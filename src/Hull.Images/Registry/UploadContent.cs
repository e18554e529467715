using System.Buffers;
using System.Net;

namespace Hull.Images.Registry;

/// <summary>Bytes that a registry is to have: a blob of the store, or one that was made for this push.</summary>
/// <param name="Open">A new stream from an offset on; the caller disposes it.</param>
internal sealed record UploadSource(Oci.Digest Digest, long Size, Func<long, Stream> Open);

/// <summary>The body of an upload: a part of a blob. Reads as fast as the registry takes.</summary>
/// <param name="end">The offset behind the part.</param>
/// <param name="progress">Told how many bytes of the blob are sent.</param>
internal sealed class UploadContent(UploadSource source, long offset, long end, Action<long> progress) : HttpContent
{
    private const int BufferSize = 128 << 10;

    /// <summary>Bytes that the connection has taken.</summary>
    public long Sent { get; private set; }

    /// <summary>Called whenever the connection has taken bytes.</summary>
    public Action Taken { get; set; } = () => { };

    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) =>
        SerializeToStreamAsync(stream, context, CancellationToken.None);

    protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken cancellationToken)
    {
        byte[] buffer = ArrayPool<byte>.Shared.Rent(BufferSize);
        try
        {
            using Stream content = source.Open(offset);
            long sent = offset;
            while (content.Read(buffer, 0, (int)Math.Min(BufferSize, end - sent)) is int n and > 0)
            {
                await stream.WriteAsync(buffer.AsMemory(0, n), cancellationToken).ConfigureAwait(false);
                sent += n;
                Sent += n;
                Taken();
                progress(sent);
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    protected override bool TryComputeLength(out long length)
    {
        length = end - offset;
        return true;
    }
}
