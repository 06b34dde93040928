using EventMail.EventStore;

namespace EventMail.Projections.Capture;

/// <summary>One message as capture mode shows it: an SMTP transaction, whoever its recipients are.</summary>
/// <param name="Id">The position of its first event in the log: later ones are higher, also after a restart.</param>
/// <param name="Transaction">As in the Received field and in the reply.</param>
/// <param name="Content">The number of its content.</param>
/// <param name="Size">Octets as stored.</param>
/// <param name="ReversePath">MAIL FROM without angle brackets; empty for the null sender.</param>
/// <param name="User">Who had logged in.</param>
/// <param name="Session">Client, greeting, parameters: the members of its events' headers.</param>
public sealed record CapturedMail(
    long Id, string Transaction, long Content, long Size, DateTimeOffset Received, string ReversePath, string? User, string? MessageId,
    string Subject, IReadOnlyDictionary<string, string> Session, IReadOnlyList<CapturedCopy> Copies);

/// <param name="Recipient">RCPT TO as the client gave it.</param>
public sealed record CapturedCopy(string Recipient, StreamKey Mailbox, uint Uid);

/// <summary>Which messages are wanted; null for all.</summary>
/// <param name="Recipient">A whole address, in any case.</param>
/// <param name="Subject">A part of it, in any case.</param>
/// <param name="Sender">The whole reverse-path, in any case.</param>
public sealed record CapturedFilter(string? Recipient = null, string? Subject = null, string? Sender = null)
{
    internal bool Fits(CapturedMail mail) =>
        (Recipient is null || mail.Copies.Any(copy => copy.Recipient.Equals(Recipient, StringComparison.OrdinalIgnoreCase)))
        && (Sender is null || mail.ReversePath.Equals(Sender, StringComparison.OrdinalIgnoreCase))
        && (Subject is null || mail.Subject.Contains(Subject, StringComparison.OrdinalIgnoreCase));
}
