using System.Buffers;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using EventMail.Domain.Messages;

namespace EventMail.Protocols.Smtp.Data;

/// <summary>The fields in front of a message at its final delivery: Return-Path and Received (RFC 5321 §4.4).</summary>
internal static class TraceFields
{
    public static byte[] Write(SmtpEnvelope envelope)
    {
        var text = new StringBuilder(400);
        text.Append(CultureInfo.InvariantCulture, $"Return-Path: <{envelope.ReversePath.Mailbox}>\r\n");
        var client = AddressLiteral(envelope.Client.Address);
        text.Append(CultureInfo.InvariantCulture, $"Received: from {envelope.ClientName} ({client})\r\n");
        var protocol = Protocol(envelope);
        text.Append(CultureInfo.InvariantCulture, $"\tby {envelope.Hostname} with {protocol} id {envelope.Id}");
        // One recipient only: more would tell each about the others (RFC 5321 §7.6).
        if (envelope.Recipients is [var only])
            text.Append(CultureInfo.InvariantCulture, $"\r\n\tfor <{only.Address}>");
        // RFC 8314 §4.3: the tls clause.
        if (envelope.Cipher is { } cipher)
            text.Append(CultureInfo.InvariantCulture, $"\r\n\ttls {cipher}");
        text.Append(";\r\n\t").Append(MessageDate.Text(envelope.Received)).Append("\r\n");
        // The paths may be UTF-8 (RFC 6531 §3.7.3); everything else is ASCII.
        return Encoding.UTF8.GetBytes(text.ToString());
    }

    // RFC 3848, RFC 6531 §4.3, RFC 2033.
    private static string Protocol(SmtpEnvelope envelope)
    {
        var name = envelope.IsExtended ? envelope.Role.Protocol : "SMTP";
        if (envelope.Cipher is not null && name != "SMTP")
            name += "S";
        return envelope.Parameters.SmtpUtf8 ? "UTF8" + name.Replace("ESMTP", "SMTP", StringComparison.Ordinal) : name;
    }

    private static string AddressLiteral(IPAddress address) =>
        address.AddressFamily == AddressFamily.InterNetworkV6 ? $"[IPv6:{new IPAddress(address.GetAddressBytes())}]" : $"[{address}]";
}
