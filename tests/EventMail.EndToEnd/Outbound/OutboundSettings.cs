using System.Globalization;
using EventMail.Testing;

namespace EventMail.EndToEnd.Outbound;

/// <summary>The settings of servers that send, to this machine only.</summary>
internal static class OutboundSettings
{
    public static string? Missing => DnsServer.Missing;

    /// <param name="dns">The only one that is asked.</param>
    /// <param name="port">Where the other servers are.</param>
    public static string[] Of(DnsServer dns, int port, params string[] more) =>
    [
        .. MailServer.Settings, "Delivery:Enabled=true", "Delivery:AllowLoopback=true", "Hostname=mail.example.test", $"Dns:Servers={dns.Setting}",
        string.Create(CultureInfo.InvariantCulture, $"Delivery:Port={port}"), "Submission:MessagesPerHour=0", "Submission:RecipientsPerHour=0",
        "Submission:MessagesPerHourPerAddress=0", .. more,
    ];

    /// <summary>A domain with one host, on 127.0.0.1.</summary>
    public static Task<DnsServer> DnsAsync(params string[] domains) =>
        DnsServer.StartAsync([.. domains.Select(domain => new DnsZone(domain, "@ MX 10 mx\nmx A 127.0.0.1"))]);
}

/// <summary>Skipped where there is no DNS server, or one of the programs is missing.</summary>
public sealed class OutboundFactAttribute : FactAttribute
{
    public OutboundFactAttribute(params string[] programs) => Skip = OutboundSettings.Missing ?? NeedsFactAttribute.Reason(programs);
}

public sealed class OutboundTheoryAttribute : TheoryAttribute
{
    public OutboundTheoryAttribute() => Skip = OutboundSettings.Missing;
}
