using System.Buffers.Binary;
using System.Net;

namespace EventMail.Projections.Accounts;

/// <summary>What counts as one client when failures and commands are counted: an IPv4 address, or an IPv6 /64.</summary>
/// <param name="Bits">The IPv4 address, or the upper half of the IPv6 address.</param>
public readonly record struct ClientPrefix(ulong Bits, bool IsIPv6)
{
    public static ClientPrefix Of(IPAddress address)
    {
        Span<byte> bytes = stackalloc byte[16];
        if (!address.TryWriteBytes(bytes, out var length))
            throw new ArgumentException("an address longer than IPv6's", nameof(address));
        if (length == 4)
            return new(BinaryPrimitives.ReadUInt32BigEndian(bytes), false);
        return address.IsIPv4MappedToIPv6
            ? new(BinaryPrimitives.ReadUInt32BigEndian(bytes[12..]), false)
            : new(BinaryPrimitives.ReadUInt64BigEndian(bytes), true);
    }

    /// <summary>"192.0.2.1", "2001:db8:1:2::/64".</summary>
    public override string ToString()
    {
        Span<byte> bytes = stackalloc byte[16];
        if (!IsIPv6)
        {
            BinaryPrimitives.WriteUInt32BigEndian(bytes, (uint)Bits);
            return new IPAddress(bytes[..4]).ToString();
        }
        bytes.Clear();
        BinaryPrimitives.WriteUInt64BigEndian(bytes, Bits);
        return $"{new IPAddress(bytes)}/64";
    }
}
