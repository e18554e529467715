using System.Buffers.Binary;

namespace Hull.Linux.Netlink;

/// <summary>struct nlmsgerr and the attributes after it: what the kernel says of a request (include/uapi/linux/netlink.h).</summary>
internal static class NetlinkError
{
    private const ushort Capped = 0x100;
    private const ushort HasAttributes = 0x200;
    private const ushort AttributeMessage = 1;
    private const ushort AttributeOffset = 2;
    private const ushort AttributeMissingType = 5;

    /// <param name="error">NLMSG_ERROR, which repeats the header of the request, or all of it; NLMSG_DONE has the number alone.</param>
    /// <param name="text">The kernel's words; without any, where an invalid request is wrong; null where it says neither.</param>
    /// <returns>None for an acknowledgement.</returns>
    public static Errno Read(bool error, ushort flags, ReadOnlySpan<byte> payload, out string? text)
    {
        text = null;
        Errno errno = payload.Length < 4 ? Errno.None : (Errno)(-BinaryPrimitives.ReadInt32LittleEndian(payload));
        if (errno == Errno.None || (flags & HasAttributes) == 0)
        {
            return errno;
        }

        int request = !error ? 0
            : (flags & Capped) != 0 ? NetlinkWriter.HeaderBytes
            : NetlinkWriter.Align((int)BinaryPrimitives.ReadUInt32LittleEndian(payload[4..]));
        string? place = null;
        NetlinkReader attributes = new(payload[Math.Min(4 + request, payload.Length)..]);
        while (attributes.Next())
        {
            switch (attributes.Type)
            {
                case AttributeMessage:
                    text = attributes.String;
                    break;
                case AttributeOffset:
                    place = $"the attribute at byte {attributes.UInt32} of the request";
                    break;
                case AttributeMissingType:
                    place = $"attribute {attributes.UInt32} is missing";
                    break;
            }
        }

        // Where an object is missing or taken, the target says more than a place in bytes.
        text ??= errno is Errno.EINVAL or Errno.ERANGE ? place : null;
        return errno;
    }
}
