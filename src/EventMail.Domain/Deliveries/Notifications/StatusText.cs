using System.Globalization;
using EventMail.Domain.Messages;

namespace EventMail.Domain.Deliveries.Notifications;

/// <summary>The first part of a notification: for the one who wrote the message.</summary>
internal static class StatusText
{
    private sealed record Section(string Action, string One, string Many);

    private static readonly Section[] Sections =
    [
        new(DeliveryActions.Failed,
            "Your message could not be delivered to this recipient. It is not tried again.",
            "Your message could not be delivered to these recipients. It is not tried again."),
        new(DeliveryActions.Delayed,
            "Your message has not been delivered to this recipient yet. It is tried again: you need not do anything.",
            "Your message has not been delivered to these recipients yet. It is tried again: you need not do anything."),
        new(DeliveryActions.Delivered,
            "Your message has been delivered to this recipient's mailbox.",
            "Your message has been delivered to these recipients' mailboxes."),
        new(DeliveryActions.Relayed,
            "Your message has been handed to this recipient's mail system, which sends no confirmations of delivery.",
            "Your message has been handed to these recipients' mail systems, which send no confirmations of delivery."),
        new(DeliveryActions.Expanded,
            "Your message has reached this address and was passed on to its members.",
            "Your message has reached these addresses and was passed on to their members."),
    ];

    public static string Write(StatusReport report, OriginalFields original)
    {
        var text = new WrappedText();
        text.Paragraph("", $"This is the mail system at {FieldText.Token(report.ReportingHost, utf8: false)}.");
        var named = 0;
        foreach (var section in Sections)
        {
            var about = report.Recipients.Where(recipient => recipient.Action == section.Action).ToList();
            if (about.Count == 0)
                continue;
            text.Blank();
            text.Paragraph("", about.Count == 1 ? section.One : section.Many);
            foreach (var recipient in about.Take(NotificationLimits.NamedRecipients - named))
                Write(text, recipient, report.SmtpUtf8);
            named = Math.Min(named + about.Count, NotificationLimits.NamedRecipients);
        }
        if (report.Recipients.Count > named)
        {
            text.Blank();
            text.Paragraph("", string.Create(CultureInfo.InvariantCulture, $"{report.Recipients.Count - named} more are named in the attached report."));
        }
        WriteOriginal(text, report, original);
        text.Blank();
        text.Paragraph("", "If you need help, write to your postmaster and enclose this message:");
        text.Paragraph("  ", $"<postmaster@{FieldText.Token(report.ReportingHost, utf8: false)}>");
        return text.ToString();
    }

    private static void Write(WrappedText text, ReportedRecipient recipient, bool utf8)
    {
        text.Blank();
        text.Paragraph("  ", $"<{FieldText.Token(recipient.Address, utf8)}>");
        if (recipient.Action is DeliveryActions.Failed or DeliveryActions.Delayed)
        {
            var advice = StatusAdvice.Of(StatusFields.StatusCode(recipient));
            text.Paragraph("    ", advice.Meaning);
            if (recipient.Action == DeliveryActions.Failed)
                text.Paragraph("    ", advice.ToDo);
        }
        if (recipient.Diagnostic is { Length: > 0 } diagnostic)
        {
            var said = diagnostic.StartsWith("smtp;", StringComparison.OrdinalIgnoreCase) ? diagnostic["smtp;".Length..] : diagnostic;
            var who = recipient.RemoteHost is { Length: > 0 } host ? $"{FieldText.Token(host, utf8: false)} said: " : "What happened: ";
            text.Paragraph("    ", who + FieldText.Words(said, utf8, NotificationLimits.Diagnostic));
        }
        if (recipient is { Action: DeliveryActions.Delayed, WillRetryUntil: { } until })
            text.Paragraph("    ", $"It is tried until {MessageDate.Text(until)}.");
    }

    private static void WriteOriginal(WrappedText text, StatusReport report, OriginalFields original)
    {
        text.Blank();
        text.Paragraph("", "The message:");
        if (original.Subject.Length > 0)
            text.Paragraph("  ", $"Subject: {original.Subject}");
        text.Paragraph("  ", $"Handed in: {MessageDate.Text(report.Arrival)}");
        if (original.MessageId is { } id)
            text.Paragraph("  ", $"Message-ID: <{id}>");
    }
}
