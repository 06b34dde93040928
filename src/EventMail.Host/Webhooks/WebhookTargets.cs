using System.Net;
using System.Net.Sockets;
using EventMail.Domain;
using EventMail.Host.Configuration;
using EventMail.Protocols.Dns;

namespace EventMail.Host.Webhooks;

/// <summary>
/// Where webhooks may lead to: the Internet, and networks that the operator allows. A key that adds webhooks would otherwise reach whatever listens on
/// this machine and behind its firewall. What counts is the address that is connected to, at each connection: names may lead elsewhere the next time.
/// </summary>
internal sealed class WebhookTargets(IReadOnlyList<IPNetwork> allowed)
{
    private const string Setting = "Webhooks:AllowedNetworks";

    private static readonly ReachableAddresses Internet = new();

    /// <exception cref="SettingsException">It is no list of networks.</exception>
    public static WebhookTargets Of(WebhookSettings settings) => new(NetworkList.Parse(Setting, settings.AllowedNetworks));

    public bool Contains(IPAddress address)
    {
        var plain = address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;
        return Internet.Contains(plain) || allowed.Any(network => network.Contains(plain));
    }

    /// <summary>Why there can be no webhook of this URL; null where that depends on the DNS.</summary>
    public Rejection? Refuses(Uri url) =>
        AddressesIn(url) is { Length: > 0 } addresses && !addresses.Any(Contains)
            ? Rejection.Invalid($"{url.Host} is not on the Internet; a webhook may lead there only where {Setting} has its network") : null;

    /// <summary>For <see cref="SocketsHttpHandler.ConnectCallback"/>.</summary>
    /// <exception cref="HttpRequestException">There is no address that it may connect to.</exception>
    public async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken cancel)
    {
        var found = await Dns.GetHostAddressesAsync(context.DnsEndPoint.Host, cancel);
        IPAddress[] open = [.. found.Where(Contains)];
        // Without the address: what the names of our network lead to is nothing for who only may add webhooks.
        if (open.Length == 0)
            throw new HttpRequestException($"not on the Internet, and in none of {Setting}");
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(open, context.DnsEndPoint.Port, cancel);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    // RFC 6761 §6.3: localhost and what is below it are this machine, whatever the DNS says.
    private static IPAddress[] AddressesIn(Uri url) =>
        IPAddress.TryParse(url.DnsSafeHost, out var address) ? [address]
        : url.IsLoopback || url.DnsSafeHost.TrimEnd('.').EndsWith(".localhost", StringComparison.OrdinalIgnoreCase) ? [IPAddress.Loopback, IPAddress.IPv6Loopback]
        : [];
}
