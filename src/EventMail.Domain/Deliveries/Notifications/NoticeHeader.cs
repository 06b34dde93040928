using EventMail.Domain.Messages;

namespace EventMail.Domain.Deliveries.Notifications;

/// <summary>The fields that all mail of the mail system itself begins with.</summary>
/// <param name="Host">Our name; its postmaster is the one who answers (RFC 3464 §2).</param>
/// <param name="MessageId">Without angle brackets.</param>
/// <param name="To">An address.</param>
/// <param name="AutoSubmitted">RFC 3834 §5: "auto-replied" to a message, else "auto-generated".</param>
internal sealed record NoticeHeader(string Host, DateTimeOffset Date, string MessageId, string To, string Subject, string AutoSubmitted)
{
    public void Write(FieldWriter fields)
    {
        fields.Pieces("Return-Path", "<>"); // final delivery (RFC 5321 §4.4) to the null sender's rules (RFC 3461 §6.1)
        fields.Pieces("Date", MessageDate.Text(Date));
        fields.Pieces("From", "Mail Delivery System", $"<postmaster@{FieldText.Token(Host, utf8: false)}>");
        fields.Pieces("To", $"<{Address(FieldText.Token(To, utf8: true))}>");
        fields.Unstructured("Subject", Subject);
        fields.Pieces("Message-ID", $"<{FieldText.Token(MessageId, utf8: false)}>");
        fields.Pieces("Auto-Submitted", AutoSubmitted);
        fields.Pieces("MIME-Version", "1.0");
    }

    // Only a quoted local part may hold the brackets that end an address (RFC 5322 §3.4).
    private static string Address(string address) =>
        address.StartsWith('"') ? address : address.Replace('<', '?').Replace('>', '?');
}
