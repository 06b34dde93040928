using System.Globalization;
using System.Text;
using EventMail.Domain.Messages;
using EventMail.Protocols.Smtp.Syntax;

namespace EventMail.Protocols.Smtp.Data;

/// <summary>The fields in front of a message at its final delivery: Return-Path and Received (RFC 5321 §4.4).</summary>
internal static class TraceFields
{
    /// <param name="hideClient">Nothing is told of the other end (RFC 5322 §3.6.7 lets the "from" be left out).</param>
    /// <param name="reverseName">The client's name by the DNS, where it leads back to the client.</param>
    /// <param name="fields">Results of checks: above Received (RFC 8601 §4), below Return-Path, which is "at the beginning" (RFC 5321 §4.4).</param>
    public static byte[] Write(SmtpEnvelope envelope, bool hideClient = false, string? reverseName = null, IReadOnlyList<string>? fields = null)
    {
        var text = new StringBuilder(400);
        text.Append(CultureInfo.InvariantCulture, $"Return-Path: <{envelope.ReversePath.Mailbox}>\r\n");
        foreach (var field in fields ?? [])
            text.Append(field);
        text.Append("Received: ");
        if (!hideClient)
            text.Append(CultureInfo.InvariantCulture, $"from {envelope.ClientName} ({(reverseName is null ? "" : reverseName + " ")}{AddressLiterals.Of(envelope.Client.Address)})\r\n\t");
        text.Append(CultureInfo.InvariantCulture, $"by {envelope.Hostname} with {Protocol(envelope)} id {envelope.Id}");
        // One recipient only: more would tell each about the others (RFC 5321 §7.6).
        if (envelope.Recipients is [var only])
            text.Append(CultureInfo.InvariantCulture, $"\r\n\tfor <{only.Address}>");
        // RFC 8314 §4.3: the tls clause.
        if (envelope.Cipher is { } cipher)
            text.Append(CultureInfo.InvariantCulture, $"\r\n\ttls {cipher}");
        // RFC 6710 §7: Pri = CFWS "PRIORITY" FWS priority-value, of what MAIL said.
        if (envelope.Parameters.Priority is { } priority)
            text.Append(CultureInfo.InvariantCulture, $"\r\n\tpriority {priority}");
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
        if (envelope.Account is not null && name != "SMTP")
            name += "A";
        return envelope.Parameters.SmtpUtf8 ? "UTF8" + name.Replace("ESMTP", "SMTP", StringComparison.Ordinal) : name;
    }
}
