using System.Buffers;
using System.Security.Cryptography;
using System.Text;

namespace EventMail.Domain.Deliveries.Notifications;

/// <summary>
/// Composes delivery status notifications (RFC 3464 in RFC 6522, internationalised by RFC 6533). Pure: the same report makes the same
/// octets. No input makes it throw, and none adds a field or a part.
/// </summary>
public static class StatusNotification
{
    private static readonly Dictionary<string, string> Subjects = new(StringComparer.Ordinal)
    {
        [DeliveryActions.Failed] = "Not delivered",
        [DeliveryActions.Delayed] = "Delayed",
        [DeliveryActions.Delivered] = "Delivered",
        [DeliveryActions.Relayed] = "Relayed",
        [DeliveryActions.Expanded] = "Passed on",
    };

    private sealed record Part(string Type, string Encoding, ReadOnlyMemory<byte> Body);

    /// <summary>The whole message, Return-Path in front, lines end with CRLF. To be stored or sent with the null sender.</summary>
    public static byte[] Write(StatusReport report, OriginalMessage original)
    {
        var header = ReturnedPart.HeaderOf(original.Octets.Span);
        var fields = OriginalFields.Of(header);
        var isFailure = report.Recipients.Any(recipient => recipient.Action == DeliveryActions.Failed);
        var returned = ReturnedPart.Of(original, header, isFailure);
        Part[] parts =
        [
            Text(StatusText.Write(report, fields)),
            Status(report),
            new(returned.Type, returned.Encoding, returned.Body),
        ];

        var boundary = Boundary(report.MessageId, parts);
        var output = new ArrayBufferWriter<byte>(2000 + parts.Sum(part => part.Body.Length));
        WriteHeader(new(output), report, fields, parts, boundary);
        foreach (var part in parts)
        {
            output.Write(Encoding.ASCII.GetBytes($"--{boundary}\r\nContent-Type: {part.Type}\r\nContent-Transfer-Encoding: {part.Encoding}\r\n\r\n"));
            output.Write(part.Body.Span);
            output.Write("\r\n"u8); // the delimiter's (RFC 2046 §5.1.1)
        }
        output.Write(Encoding.ASCII.GetBytes($"--{boundary}--\r\n"));
        return output.WrittenSpan.ToArray();
    }

    private static void WriteHeader(FieldWriter header, StatusReport report, OriginalFields original, Part[] parts, string boundary)
    {
        var subject = Subjects.GetValueOrDefault(report.Action, "Delivery status");
        new NoticeHeader(
            report.ReportingHost, report.Now, report.MessageId, report.Recipient,
            original.Subject.Length > 0 ? $"{subject}: {original.Subject}" : subject, "auto-replied").Write(header);
        if (original.MessageId is { } parent)
        {
            header.Pieces("In-Reply-To", $"<{parent}>");
            header.Pieces("References", [.. original.References.Select(id => $"<{id}>")]);
        }
        header.Pieces("Content-Type", "multipart/report;", "report-type=delivery-status;", $"boundary=\"{boundary}\"");
        // RFC 2045 §6.4: as the parts.
        header.Pieces("Content-Transfer-Encoding", parts.Any(part => part.Encoding == "8bit") ? "8bit" : "7bit");
        header.EmptyLine();
    }

    private static Part Text(string text) => FieldText.IsAscii(text)
        ? new("text/plain; charset=us-ascii", "7bit", Encoding.ASCII.GetBytes(text))
        : new("text/plain; charset=utf-8", "8bit", Encoding.UTF8.GetBytes(text));

    // RFC 6533 §4.4: what is ASCII all the same may take the form that everybody knows.
    private static Part Status(StatusReport report)
    {
        var utf8 = StatusFields.NeedsUtf8(report);
        var body = new ArrayBufferWriter<byte>(300 + 300 * report.Recipients.Count);
        StatusFields.Write(new(body), report, utf8);
        return utf8 ? new("message/global-delivery-status", "8bit", body.WrittenMemory) : new("message/delivery-status", "7bit", body.WrittenMemory);
    }

    // RFC 2046 §5.1.1: it stands in no part. The notification's id is new, so that nobody can have foreseen it; it is looked for all the same.
    private static string Boundary(string messageId, Part[] parts)
    {
        var seed = SHA256.HashData(Encoding.UTF8.GetBytes(messageId));
        while (true)
        {
            var boundary = "=_" + Convert.ToHexStringLower(seed.AsSpan(0, 16));
            var octets = Encoding.ASCII.GetBytes(boundary);
            if (!Array.Exists(parts, part => part.Body.Span.IndexOf(octets) >= 0))
                return boundary;
            seed = SHA256.HashData(seed);
        }
    }
}
