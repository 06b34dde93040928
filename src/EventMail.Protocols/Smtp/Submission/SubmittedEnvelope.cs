using System.Text;
using EventMail.Domain.Accounts;
using EventMail.Domain.Deliveries;
using EventMail.Domain.Messages.Submitted;
using EventMail.Projections.Accounts;
using EventMail.Projections.Deliveries;
using EventMail.Protocols.Smtp.Syntax;
using Handed = EventMail.Projections.Deliveries.Submission;

namespace EventMail.Protocols.Smtp.Submission;

/// <summary>An envelope in the words of the queue.</summary>
internal static class SubmittedEnvelope
{
    /// <param name="skip">Octets at the front that are not relayed.</param>
    public static Handed Of(SmtpEnvelope envelope, string account, SubmittedHeader header, ContentNeeds needs, int skip, string? messageId)
    {
        var parameters = envelope.Parameters;
        var sender = Relayed(envelope.ReversePath, null);
        SubmittedRecipient[] recipients = [.. envelope.Recipients.Select(Recipient)];
        return new(
            account, sender, skip, messageId, parameters.EnvelopeId, parameters.Return, needs.Body(parameters.Body),
            // What is declared and not needed would only keep it from hosts that cannot do it (RFC 6531 §3.2).
            parameters.SmtpUtf8 && !(header.IsAscii && Ascii.IsValid(sender) && recipients.All(recipient => Ascii.IsValid(recipient.Address))),
            parameters.RequireTls, parameters.HoldUntil, parameters.DeliverBy, Priority(envelope, header), recipients,
            // RFC 8689 §4.1: the parameter wins over the field.
            header.TlsNotRequired && !parameters.RequireTls, parameters.FutureRelease);
    }

    /// <summary>The recipients that are here.</summary>
    public static IReadOnlyList<SubmittedLocal> Locals(SmtpEnvelope envelope)
    {
        var locals = new List<SubmittedLocal>();
        for (var i = 0; i < envelope.Recipients.Count; i++)
        {
            foreach (var local in envelope.Recipients[i].Locals)
                locals.Add(new(i, local));
        }

        return locals;
    }

    public static int Priority(SmtpEnvelope envelope, SubmittedHeader header) => Math.Min(envelope.MaxPriority, Wanted(envelope, header) ?? 0);

    /// <summary>
    /// Null where nothing was said, in the envelope or in the header. RFC 6758 §3.1: without a parameter the field says it.
    /// </summary>
    public static int? Wanted(SmtpEnvelope envelope, SubmittedHeader header) => envelope.Parameters.Priority ?? OfField(header);

    private static int? OfField(SubmittedHeader header) =>
        header.Priority is { } field ? MessagePriority.Read(Encoding.ASCII.GetBytes(field)) : null;

    private static SubmittedRecipient Recipient(AcceptedRecipient recipient) => new(
        Relayed(recipient.Path, recipient.RemoteDomain), recipient.RemoteDomain ?? LocalDomain(recipient), recipient.Parameters.OriginalRecipient,
        recipient.Parameters.Notify, recipient.Parameters.NotifyGiven);

    // A domain in A-labels goes everywhere; a local part beyond ASCII needs SMTPUTF8 in any case.
    private static string Relayed(SmtpPath path, string? canonical)
    {
        if (path.Domain.Length == 0 || (canonical is null && !MailAddress.TryCanonicalDomain(path.Domain, out canonical)))
            return path.Mailbox;
        return $"{path.Mailbox[..path.Mailbox.LastIndexOf('@')]}@{canonical}";
    }

    // A bare postmaster's is that of the account behind it.
    private static string LocalDomain(AcceptedRecipient recipient) =>
        MailAddress.TryCanonicalDomain(recipient.Path.Domain, out var domain) ? domain
        : recipient.Locals[0].Address[(recipient.Locals[0].Address.LastIndexOf('@') + 1)..];
}
