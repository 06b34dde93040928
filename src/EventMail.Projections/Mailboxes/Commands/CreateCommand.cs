using EventMail.Domain.Mailboxes;
using EventMail.EventStore;

namespace EventMail.Projections.Mailboxes;

/// <summary>A mailbox to be made: its stream is new.</summary>
internal readonly record struct NewMailbox(StreamKey Key, string Name, uint UidValidity, string? SpecialUse);

/// <summary>New mailboxes, parents first.</summary>
internal sealed class CreateCommand(IReadOnlyList<NewMailbox> mailboxes, EventMetadata metadata) : MailboxCommand(metadata)
{
    public override IReadOnlyList<StreamRef> Streams { get; } = [.. mailboxes.Select(m => MailboxKind.Stream(m.Key))];

    public override void Decide(Decision decision) => Decide(decision, mailboxes);

    /// <summary>False when it was refused.</summary>
    public static bool Decide(Decision decision, IReadOnlyList<NewMailbox> mailboxes)
    {
        foreach (var (key, name, uidValidity, specialUse) in mailboxes)
        {
            var state = decision.State<MailboxState>(key);
            if (Accept(decision, MailboxDecider.Create(state, name, uidValidity, specialUse)) is not { } e)
                return false;
            decision.Append(key, e);
        }
        return true;
    }
}
