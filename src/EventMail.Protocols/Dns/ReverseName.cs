using System.Globalization;
using System.Net;
using System.Text;

namespace EventMail.Protocols.Dns;

/// <summary>The name under which an address has its PTR records (RFC 1035 §3.5, RFC 3596 §2.5).</summary>
public static class ReverseName
{
    public static string Of(IPAddress address)
    {
        var octets = (address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address).GetAddressBytes();
        var name = new StringBuilder();
        for (var i = octets.Length - 1; i >= 0; i--)
        {
            if (octets.Length == 4)
                name.Append(CultureInfo.InvariantCulture, $"{octets[i]}.");
            else
                name.Append(CultureInfo.InvariantCulture, $"{octets[i] & 0xF:x}.{octets[i] >> 4:x}.");
        }
        return name.Append(octets.Length == 4 ? "in-addr.arpa" : "ip6.arpa").ToString();
    }
}
