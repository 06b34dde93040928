using System.Net;
using System.Net.Sockets;

namespace EventMail.Protocols.Smtp.Syntax;

internal static class AddressLiterals
{
    /// <summary>address-literal of RFC 5321 §4.1.3, with its brackets, of an address without a scope.</summary>
    public static string Of(IPAddress address) =>
        address.AddressFamily == AddressFamily.InterNetworkV6 ? $"[IPv6:{new IPAddress(address.GetAddressBytes())}]" : $"[{address}]";
}
