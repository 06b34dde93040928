using EventMail.Domain.Deliveries;
using EventMail.EventStore;
using EventMail.Projections.Mailboxes;

namespace EventMail.Projections.Deliveries;

/// <summary>A submitted message's arrival in the mailboxes of those recipients that are here, within a command.</summary>
/// <param name="positions">Who each of the receiving's was named as; one behind which there are several accounts comes several times.</param>
internal sealed class LocalArrival(Receiving receiving, IReadOnlyList<int[]> positions)
{
    // What our own SMTP and LMTP answer.
    private const int Code = 250;
    private const string Enhanced = "2.1.5";
    private const string Text = "Delivered to a mailbox here";

    public IReadOnlyList<StreamRef> Streams => receiving.Streams;

    /// <summary>After the decision.</summary>
    public IReadOnlyList<Delivered> Delivered { get; private set; } = [];

    /// <summary>What a notification says of such a recipient.</summary>
    public static NoticedRecipient Noticed(int recipient) => new(recipient, Enhanced, 0, $"{Enhanced} {Text}", null, null);

    /// <returns>False when the command was deferred or refused.</returns>
    public bool Decide(Decision decision, StreamKey delivery)
    {
        if (positions.Count == 0)
            return true;
        if (receiving.Decide(decision) is not { } delivered)
            return false;
        for (var i = 0; i < delivered.Length; i++)
            decision.Append(delivery, new RecipientDelivered(
                positions[i], Code, Enhanced, Text, delivered[i].Mailbox.Id, delivered[i].Uid, Relayed: false));
        Delivered = delivered;
        return true;
    }
}
