using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace EventMail.Protocols.Filters.Milter;

/// <summary>Where a milter listens: `inet:HOST:PORT` (IPv6 in brackets) or `unix:/PATH`.</summary>
public sealed class MilterAddress
{
    private readonly string _text;
    private readonly EndPoint _endPoint;

    private MilterAddress(string text, EndPoint endPoint) => (_text, _endPoint) = (text, endPoint);

    public static bool TryParse(string text, [NotNullWhen(true)] out MilterAddress? address)
    {
        address = EndPointOf(text) is { } endPoint ? new(text, endPoint) : null;
        return address is not null;
    }

    /// <exception cref="SocketException">Nobody is there.</exception>
    public async ValueTask<Stream> ConnectAsync(CancellationToken cancel)
    {
        var socket = _endPoint is UnixDomainSocketEndPoint
            ? new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified)
            : new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(_endPoint, cancel).ConfigureAwait(false);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    public override string ToString() => _text;

    private static EndPoint? EndPointOf(string text)
    {
        if (text.StartsWith("unix:/", StringComparison.Ordinal))
            return text.Length - 5 <= 107 ? new UnixDomainSocketEndPoint(text[5..]) : null; // sockaddr_un
        var colon = text.LastIndexOf(':');
        if (!text.StartsWith("inet:", StringComparison.Ordinal) || colon < 6)
            return null;
        var host = text[5..colon];
        if (!ushort.TryParse(text.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var port) || port == 0)
            return null;
        if (host.StartsWith('[') && host.EndsWith(']'))
            return IPAddress.TryParse(host.AsSpan(1, host.Length - 2), out var address) ? new IPEndPoint(address, port) : null;
        return Uri.CheckHostName(host) is UriHostNameType.Dns or UriHostNameType.IPv4 ? new DnsEndPoint(host, port) : null;
    }
}
