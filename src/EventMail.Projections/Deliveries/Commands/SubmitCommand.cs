using EventMail.Domain.Accounts;
using EventMail.Domain.Deliveries;
using EventMail.Domain.Mailboxes;
using EventMail.EventStore;
using EventMail.Projections.Accounts;
using EventMail.Projections.Mailboxes;

namespace EventMail.Projections.Deliveries;

/// <summary>A submission: the message is in the log, and in the mailboxes of those recipients that are here, or nothing is.</summary>
/// <param name="message">With any content: its number is final only when the command decides.</param>
/// <param name="copy">For the sender, where the account has it so.</param>
/// <param name="claim">Of those who wait; null when it goes into the queue.</param>
/// <param name="notices">Of what happens at once (NOTIFY=SUCCESS).</param>
internal sealed class SubmitCommand(
    StreamKey delivery, MessageSubmitted message, StagedContent content, LocalArrival arrival, SentCopy? copy, FirstClaim? claim, IReadOnlyList<PreparedNotice> notices,
    WaitingRoom room, EventMetadata metadata) : Command
{
    private readonly string _digest = content.DigestHex;
    private readonly StreamRef _account = AccountStreamKinds.AccountStream(delivery.Tenant);

    public override IReadOnlyList<StreamRef> Streams { get; } =
    [
        DeliveryKind.NewStream(delivery), AccountStreamKinds.AccountStream(delivery.Tenant), .. arrival.Streams, .. copy?.Streams ?? [],
        .. notices.SelectMany(notice => notice.Streams),
    ];

    public override EventMetadata Metadata { get; } = metadata;

    public override IReadOnlyList<StagedContent> Contents { get; } = [content, .. Copied(content, copy), .. notices.Select(notice => notice.Content).OfType<StagedContent>()];

    public override void Decide(Decision decision)
    {
        if (decision.State<AccountState>(_account.Key).Status == AccountStatus.Suspended)
        {
            decision.Reject(DeliveryRejections.Suspended);
            return;
        }
        var submitted = message with { Content = new ContentRef(content.Number, _digest, content.Size) };
        if (!decision.Apply(delivery, DeliveryDecider.Submit(decision.State<DeliveryState>(delivery), submitted)))
            return;
        decision.Store(content);
        if (!arrival.Decide(decision, delivery))
            return;
        if (copy is not null && !copy.Decide(decision))
            return;
        if (!room.Decide(decision, delivery))
            return;
        foreach (var notice in notices)
            if (!notice.Decide(decision, delivery))
                return;
        if (claim is not null)
            decision.Note(claim);
        decision.Result = new Submitted(delivery, arrival.Delivered);
    }

    // The same octets, unless the copy tells who was in Bcc.
    private static IEnumerable<StagedContent> Copied(StagedContent content, SentCopy? copy) =>
        copy is null || ReferenceEquals(copy.Content, content) ? [] : [copy.Content];
}
