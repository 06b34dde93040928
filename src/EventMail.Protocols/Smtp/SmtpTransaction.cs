using EventMail.Projections.Accounts;
using EventMail.Protocols.Smtp.Data;
using EventMail.Protocols.Smtp.Reception;
using EventMail.Protocols.Smtp.Syntax;

namespace EventMail.Protocols.Smtp;

/// <summary>A mail transaction: from MAIL to the end of the message or RSET (RFC 5321 §3.3).</summary>
/// <param name="id">Unique; in the Received field, the reply, the log and as the events' cause.</param>
internal sealed class SmtpTransaction(string id, SmtpPath sender, MailParameters parameters)
{
    public string Id { get; } = id;

    public SmtpPath Sender { get; } = sender;

    /// <summary>Empty for the null reverse-path.</summary>
    public string ReversePath => Sender.Mailbox;

    public MailParameters Parameters { get; } = parameters;

    public List<AcceptedRecipient> Recipients { get; } = [];

    /// <summary>What the checks of its recipients and its message remember.</summary>
    public Admission Admission { get; } = new();

    /// <summary>RCPT was given, accepted or not.</summary>
    public bool RecipientSeen { get; set; }

    /// <summary>The message while BDAT chunks arrive.</summary>
    public MessageIntake? Chunks { get; set; }

    /// <summary>A chunk was refused: only RSET helps (RFC 3030 §2).</summary>
    public bool Failed { get; set; }

    /// <summary>One entry for each account, however many addresses led to it.</summary>
    public IReadOnlyList<LocalRecipient> UniqueLocals()
    {
        if (Recipients is [{ Locals: [_] } only])
            return only.Locals;
        var seen = new HashSet<string>(StringComparer.Ordinal);
        return [.. Recipients.SelectMany(recipient => recipient.Locals).Where(local => seen.Add(local.Account))];
    }
}
