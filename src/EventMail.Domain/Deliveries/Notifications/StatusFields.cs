using System.Text.RegularExpressions;
using EventMail.Domain.Messages;

namespace EventMail.Domain.Deliveries.Notifications;

/// <summary>The report for programs: message/delivery-status (RFC 3464 §2), message/global-delivery-status (RFC 6533 §4.1).</summary>
internal static partial class StatusFields
{
    /// <summary>It takes the internationalised form: something would be lost in the other one (RFC 6533 §4.4).</summary>
    public static bool NeedsUtf8(StatusReport report) => report.SmtpUtf8 && report.Recipients.Any(recipient =>
        !FieldText.IsAscii(recipient.Address) || (recipient.Diagnostic is { } said && !FieldText.IsAscii(said))
        || (recipient.OriginalRecipient is { } original && !FieldText.IsAscii(TypedAddress.OfOrcpt(original, utf8: true))));

    // The order is the grammar's (RFC 3464 §2.2, §2.3).
    public static void Write(FieldWriter fields, StatusReport report, bool utf8)
    {
        // RFC 3461 §6.3 (a): only when it was given.
        if (report.EnvelopeId is { Length: > 0 } envelope)
            fields.Pieces("Original-Envelope-Id", FieldText.Token(envelope, utf8: false));
        fields.Pieces("Reporting-MTA", Host(report.ReportingHost));
        fields.Pieces("Arrival-Date", MessageDate.Text(report.Arrival));
        if (report.DeliverBy is { } time)
            fields.Pieces("Deliver-By-Date", MessageDate.Text(time));
        if (report.FutureRelease is { } release)
            fields.Pieces("Future-Release-Request", FieldText.Token(release, utf8: false));
        foreach (var recipient in report.Recipients)
        {
            fields.EmptyLine();
            Write(fields, recipient, utf8);
        }
    }

    private static void Write(FieldWriter fields, ReportedRecipient recipient, bool utf8)
    {
        if (recipient.OriginalRecipient is { } original)
            fields.Pieces("Original-Recipient", TypedAddress.OfOrcpt(original, utf8));
        fields.Pieces("Final-Recipient", TypedAddress.Of(recipient.Address, utf8));
        fields.Pieces("Action", recipient.Action);
        fields.Pieces("Status", StatusCode(recipient));
        // §2.3.5: with a remote host the diagnostic is its, without one ours.
        if (recipient.RemoteHost is { Length: > 0 } host)
            fields.Pieces("Remote-MTA", $"dns; {FieldText.Token(host, utf8: false)}");
        if (recipient.Diagnostic is { Length: > 0 } diagnostic)
            fields.Words("Diagnostic-Code", Diagnostic(diagnostic, utf8));
        if (recipient.LastAttempt is { } attempt)
            fields.Pieces("Last-Attempt-Date", MessageDate.Text(attempt));
        // §2.3.9: in no others.
        if (recipient is { Action: DeliveryActions.Delayed, WillRetryUntil: { } until })
            fields.Pieces("Will-Retry-Until", MessageDate.Text(until));
    }

    /// <summary>RFC 3461 §6.3 (g): 4.0.0 or 5.0.0 where there is none.</summary>
    public static string StatusCode(ReportedRecipient recipient) => Code().IsMatch(recipient.Enhanced) ? recipient.Enhanced : recipient.Action switch
    {
        DeliveryActions.Failed => "5.0.0",
        DeliveryActions.Delayed => "4.0.0",
        _ => "2.0.0",
    };

    // §6.3 (b): the type is "dns" for a fully-qualified name and nothing else.
    private static string Host(string name) =>
        $"{(name.Contains('.', StringComparison.Ordinal) || name.StartsWith('[') ? "dns" : "x-local-hostname")}; {FieldText.Token(name, utf8: false)}";

    // §2.3.6: a type and a text; what begins with a reply code is SMTP's.
    private static string Diagnostic(string text, bool utf8)
    {
        var line = FieldText.Words(text, utf8, NotificationLimits.Diagnostic);
        return Typed().IsMatch(line) ? line : $"{(Reply().IsMatch(line) ? "smtp" : "x-eventmail")}; {line}";
    }

    // RFC 3464 §2.3.4: no leading zeros.
    [GeneratedRegex(@"\A[245]\.(0|[1-9]\d{0,2})\.(0|[1-9]\d{0,2})\z", RegexOptions.ECMAScript)]
    private static partial Regex Code();

    [GeneratedRegex(@"\A[A-Za-z0-9-]{1,40} ?;", RegexOptions.ECMAScript)]
    private static partial Regex Typed();

    [GeneratedRegex(@"\A[2-5]\d\d([ -]|\z)", RegexOptions.ECMAScript)]
    private static partial Regex Reply();
}
