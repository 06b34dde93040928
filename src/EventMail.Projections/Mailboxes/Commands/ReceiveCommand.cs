using EventMail.EventStore;

namespace EventMail.Projections.Mailboxes;

/// <summary>A delivery by SMTP or LMTP.</summary>
internal sealed class ReceiveCommand(Receiving receiving, StagedContent content, EventMetadata metadata) : MailboxCommand(metadata)
{
    public override IReadOnlyList<StreamRef> Streams => receiving.Streams;

    public override IReadOnlyList<StagedContent> Contents { get; } = [content];

    public override void Decide(Decision decision)
    {
        if (receiving.Decide(decision) is { } delivered)
            decision.Result = delivered;
    }
}
