using EventMail.Domain;
using EventMail.Domain.Mailboxes;
using EventMail.EventStore;

namespace EventMail.Projections.Mailboxes;

/// <summary>A mailbox to be made: its stream is new.</summary>
internal readonly record struct NewMailbox(StreamKey Key, string Name, uint UidValidity, string? SpecialUse);

/// <param name="Mailboxes">Parents first.</param>
/// <param name="Above">The nearest mailbox above them that there is, or null.</param>
internal sealed record NewMailboxes(IReadOnlyList<NewMailbox> Mailboxes, MailboxRef? Above)
{
    public IEnumerable<StreamRef> Streams => Mailboxes.Select(m => m.Key).Concat(Above is { } above ? [above.Key] : []).Select(MailboxKind.Stream);
}

/// <summary>New mailboxes, parents first.</summary>
internal sealed class CreateCommand(NewMailboxes made, EventMetadata metadata) : MailboxCommand(metadata)
{
    public override IReadOnlyList<StreamRef> Streams { get; } = [.. made.Streams];

    public override void Decide(Decision decision) => Decide(decision, made);

    /// <summary>False when it was refused.</summary>
    public static bool Decide(Decision decision, NewMailboxes made)
    {
        // RFC 4314 §4: "k" on the nearest mailbox above, whose list the new ones inherit.
        if (made.Above is { } above && above.Refuse(decision.State<MailboxState>(above.Key), Rights.Create) is not null)
        {
            // The same for a mailbox that may not be known of.
            decision.Reject(Rejection.NoPermission);
            return false;
        }

        var inherited = made.Above is { } from ? decision.State<MailboxState>(from.Key).Acl : AccessList.Empty;
        foreach (var (key, name, uidValidity, specialUse) in made.Mailboxes)
        {
            var state = decision.State<MailboxState>(key);
            if (Accept(decision, MailboxDecider.Create(state, name, uidValidity, specialUse)) is not { } e)
                return false;
            decision.Append(key, e);
            foreach (var entry in AccessDecider.Inherit(inherited))
                decision.Append(key, entry);
        }
        return true;
    }
}
