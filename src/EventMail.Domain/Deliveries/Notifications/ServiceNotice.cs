using System.Buffers;
using System.Text;

namespace EventMail.Domain.Deliveries.Notifications;

/// <summary>A message of the mail system to one of its users that answers no other one: a warning.</summary>
/// <param name="Host">Our name.</param>
/// <param name="MessageId">Without angle brackets.</param>
/// <param name="To">The user's address.</param>
/// <param name="Urgent">Clients show it as important.</param>
public sealed record ServiceNotice(
    string Host, DateTimeOffset Now, string MessageId, string To, string Subject, IReadOnlyList<string> Paragraphs, bool Urgent)
{
    /// <summary>The whole message, Return-Path in front, lines end with CRLF. To be stored with the null sender.</summary>
    public byte[] Write()
    {
        var output = new ArrayBufferWriter<byte>(1000);
        var fields = new FieldWriter(output);
        new NoticeHeader(
            Host, Now, MessageId, To, FieldText.Words(Subject, utf8: true, NotificationLimits.Subject), "auto-generated").Write(fields);
        if (Urgent)
            fields.Pieces("Importance", "high"); // RFC 2156 §5.3.4
        var text = new WrappedText();
        foreach (var paragraph in Paragraphs)
        {
            if (!text.IsEmpty)
                text.Blank();
            text.Paragraph("", FieldText.Words(paragraph, utf8: true, NotificationLimits.Diagnostic));
        }
        var body = text.ToString();
        var isAscii = FieldText.IsAscii(body);
        fields.Pieces("Content-Type", "text/plain;", isAscii ? "charset=us-ascii" : "charset=utf-8");
        fields.Pieces("Content-Transfer-Encoding", isAscii ? "7bit" : "8bit");
        fields.EmptyLine();
        output.Write(Encoding.UTF8.GetBytes(body));
        return output.WrittenSpan.ToArray();
    }
}
