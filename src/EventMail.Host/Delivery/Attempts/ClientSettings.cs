using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using EventMail.Host.Configuration;
using EventMail.Host.Delivery.Routing;
using EventMail.Protocols.Smtp.Client;

namespace EventMail.Host.Delivery.Attempts;

/// <summary>The settings Delivery in the words of the SMTP client.</summary>
internal sealed class ClientSettings
{
    private readonly ClientOptions _options;
    private readonly IPAddress[] _sources;

    /// <exception cref="SettingsException">A source address is none.</exception>
    public ClientSettings(DeliverySettings settings, string hostname)
    {
        _sources = Addresses("Delivery:SourceAddress", settings.SourceAddress);
        _options = new()
        {
            HelloName = settings.Hostname.Length > 0 ? settings.Hostname : hostname,
            MaxTransactions = settings.MaxTransactions,
            Timeouts = new()
            {
                Connect = settings.ConnectTimeout,
                Greeting = settings.GreetingTimeout,
                Command = settings.CommandTimeout,
                Mail = settings.CommandTimeout,
                Rcpt = settings.CommandTimeout,
                DataInitiation = settings.DataTimeout,
                DataBlock = settings.BlockTimeout,
                DataTermination = settings.FinalTimeout,
                Transaction = settings.TransactionTimeout,
            },
        };
    }

    /// <summary>For tests: whose certificates are trusted beside the system's anchors; null for those.</summary>
    public X509Certificate2Collection? TrustAnchors { get; init; }

    /// <summary>Our name in EHLO.</summary>
    public string HelloName => _options.HelloName;

    public static IPAddress[] Addresses(string key, string text) =>
    [
        .. text.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(word => IPAddress.TryParse(word, out var address)
            ? address
            : throw new SettingsException($"{key} is '{text}': write IPv4 or IPv6 addresses, separated by blanks.")),
    ];

    /// <exception cref="IOException">The password cannot be read.</exception>
    /// <exception cref="UnauthorizedAccessException">The same.</exception>
    public ClientOptions For(NextHop hop, IPEndPoint address, ClientTls tls) => _options with
    {
        Tls = TrustAnchors is null ? tls : tls with { TrustAnchors = TrustAnchors },
        SourceAddress = Array.Find(_sources, source => source.AddressFamily == address.AddressFamily),
        Credentials = hop is SmarthostNextHop { Smarthost: { User.Length: > 0 } relay } ? new(relay.User, PasswordOf(relay)) : null,
    };

    private static string PasswordOf(SmarthostSettings relay) => File.ReadLines(relay.PasswordFile).FirstOrDefault() ?? "";
}
