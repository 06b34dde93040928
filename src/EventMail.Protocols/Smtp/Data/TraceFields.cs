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
    public static byte[] Write(SmtpSession session, SmtpTransaction transaction, DateTimeOffset now)
    {
        var text = new StringBuilder(400);
        text.Append(CultureInfo.InvariantCulture, $"Return-Path: <{transaction.ReversePath}>\r\n");
        var client = AddressLiteral(session.Connection.Details.ClientAddress);
        text.Append(CultureInfo.InvariantCulture, $"Received: from {session.GreetingName} ({client})\r\n");
        var protocol = Protocol(session, transaction);
        text.Append(CultureInfo.InvariantCulture, $"\tby {session.Services.Hostname} with {protocol} id {transaction.Id}");
        // One recipient only: more would tell each about the others (RFC 5321 §7.6).
        if (transaction.Recipients is [var only])
            text.Append(CultureInfo.InvariantCulture, $"\r\n\tfor <{only.Address}>");
        // RFC 8314 §4.3: the tls clause.
        if (session.Connection.Ssl is { } tls)
            text.Append(CultureInfo.InvariantCulture, $"\r\n\ttls {tls.NegotiatedCipherSuite}");
        text.Append(";\r\n\t").Append(MessageDate.Text(now)).Append("\r\n");
        // The paths may be UTF-8 (RFC 6531 §3.7.3); everything else is ASCII.
        return Encoding.UTF8.GetBytes(text.ToString());
    }

    // RFC 3848, RFC 6531 §4.3, RFC 2033.
    private static string Protocol(SmtpSession session, SmtpTransaction transaction)
    {
        var name = session.IsEsmtp ? session.Role.Protocol : "SMTP";
        if (session.Connection.IsTls && name != "SMTP")
            name += "S";
        return transaction.Parameters.SmtpUtf8 ? "UTF8" + name.Replace("ESMTP", "SMTP", StringComparison.Ordinal) : name;
    }

    private static string AddressLiteral(IPAddress address) =>
        address.AddressFamily == AddressFamily.InterNetworkV6 ? $"[IPv6:{new IPAddress(address.GetAddressBytes())}]" : $"[{address}]";
}
