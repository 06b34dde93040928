using EventMail.Domain.Accounts;
using EventMail.Domain.Deliveries;
using EventMail.EventStore;
using EventMail.Projections.History.Words;

namespace EventMail.Projections.Deliveries;

/// <summary>Everything that is known of a submitted message, read from its stream.</summary>
/// <param name="MaxRetries">As the schedule is now.</param>
public sealed record DeliveryReport(
    Guid Id, string Account, string? By, string Sender, string? MessageId, long Size, DateTimeOffset Submitted, bool Held, bool Over, int Priority,
    bool RequireTls, DateTimeOffset? HoldUntil, DateTimeOffset? DeliverBy, int MaxRetries, IReadOnlyList<RecipientReport> Recipients)
{
    /// <summary>Its account is, and nothing of it goes out until it is resumed.</summary>
    public bool Suspended { get; init; }

    /// <param name="sender">Whose it is: the log names it by its id.</param>
    /// <returns>Null for a stream that is no delivery's.</returns>
    public static async Task<DeliveryReport?> ReadAsync(
        EventReader reader, StreamKey delivery, AccountState sender, DeliveryRules rules, CancellationToken cancel)
    {
        var state = DeliveryState.Empty;
        var by = default(string);
        string[] addresses = [];
        var histories = new List<List<RecipientHistory>>();
        await foreach (var e in reader.ReadStreamAsync(delivery, cancel: cancel))
        {
            state = state.Evolve(e.Data, e.Timestamp);
            if (e.Data is MessageSubmitted submitted)
            {
                by = Named(e.Metadata.UserName);
                addresses = [.. submitted.Recipients.Select(recipient => recipient.Address)];
                histories.AddRange(submitted.Recipients.Select(_ => new List<RecipientHistory>()));
            }
            var positions = RecipientHistory.PositionsOf(e.Data);
            foreach (var position in positions ?? Enumerable.Range(0, histories.Count))
                histories[position].Add(RecipientHistory.Of(e, addresses) with { By = Named(e.Metadata.UserName) });
        }
        if (state.Message is not { } message)
            return null;
        return new(
            delivery.Id, delivery.Tenant, by, message.Sender, message.MessageId, message.Content.Size, state.Submitted, state.Held, state.IsOver,
            message.Priority, message.RequireTls, message.HoldUntil, message.DeliverBy?.At, rules.Schedule.Count,
            [.. message.Recipients.Select((recipient, i) => RecipientReport.Of(recipient, state.Recipients[i], state.Find(recipient.Domain), histories[i]))]);

        string? Named(string? actor) => actor == sender.Account && sender.Address.Length > 0 ? sender.Address : actor;
    }
}

/// <param name="State">queued, delivered, failed, or cancelled.</param>
/// <param name="Next">The next attempt is not before; null of one that is over, or is being tried.</param>
/// <param name="UnderWay">Since when an attempt has been under way that has no outcome so far.</param>
public sealed record RecipientReport(
    string Address, string Domain, string State, int Attempts, int Retries, DateTimeOffset? Next, DateTimeOffset? UnderWay, string? Node,
    IReadOnlyList<RecipientHistory> History)
{
    internal static RecipientReport Of(
        SubmittedRecipient recipient, DeliveryStatus status, Destination? destination, IReadOnlyList<RecipientHistory> history)
    {
        var waiting = status == DeliveryStatus.Queued ? destination : null;
        return new(
            recipient.Address, recipient.Domain, status.ToString().ToLowerInvariant(), history.Count(entry => entry.Type == "delivery_begun"),
            waiting?.Retries ?? 0, waiting is { UnderWay: null } ? waiting.Due : null, waiting?.UnderWay?.Begun, waiting?.UnderWay?.Node, history);
    }
}

/// <summary>An event in a recipient's life.</summary>
/// <param name="Type">The event's alias.</param>
/// <param name="What">In words.</param>
/// <param name="Host">The remote host.</param>
/// <param name="Tls">Null in the clear, and where nobody was connected.</param>
/// <param name="Code">The reply's; null when there was none.</param>
/// <param name="Next">The next attempt is not before.</param>
/// <param name="OutcomeUnknown">They may get it twice.</param>
public sealed record RecipientHistory(
    DateTimeOffset Time, string Type, string What, int? Attempt, string? Host, string? RemoteAddress, DeliveryTls? Tls, int? Code, string? Enhanced,
    string? Text, string? Stage, int? Milliseconds, DateTimeOffset? Next, bool? OutcomeUnknown, string? By)
{
    /// <summary>Whom an event is about; null for all.</summary>
    internal static int[]? PositionsOf(object e) => e switch
    {
        DeliveryBegun d => d.Recipients,
        DeliveryAttempted d => d.Recipients,
        RecipientDelivered d => d.Recipients,
        DeliveryDeferred d => d.Recipients,
        RecipientFailed d => d.Recipients,
        DeliveryOutcomeUnknown d => d.Recipients,
        BounceIssued d => d.Recipients,
        DeliveryCancelled d => d.Recipients,
        DeliveryHastened d => d.Recipients,
        _ => null,
    };

    /// <param name="addresses">The message's recipients, in order.</param>
    internal static RecipientHistory Of(StoredEvent e, IReadOnlyList<string> addresses)
    {
        var entry = new RecipientHistory(
            e.Timestamp, e.Type, WordsOf(e.Data, addresses), null, null, null, null, null, null, null, null, null, null, null, null);
        return e.Data switch
        {
            DeliveryBegun d => entry with { Attempt = d.Attempt },
            DeliveryAttempted d => entry with
            {
                Attempt = d.Attempt,
                Host = d.Host,
                RemoteAddress = d.RemoteAddress,
                Tls = d.Tls,
                Code = CodeOf(d.Code),
                Enhanced = d.Enhanced,
                Text = d.Text,
                Stage = d.Stage,
                Milliseconds = d.Milliseconds,
            },
            RecipientDelivered d => entry with { Code = CodeOf(d.Code), Enhanced = d.Enhanced, Text = d.Text },
            DeliveryDeferred d => entry with
            {
                Attempt = d.Attempt,
                Host = d.Host,
                Code = CodeOf(d.Code),
                Enhanced = d.Enhanced,
                Text = d.Text,
                Next = d.Next,
            },
            RecipientFailed d => entry with { Host = d.Host, Code = CodeOf(d.Code), Enhanced = d.Enhanced, Text = d.Text },
            DeliveryOutcomeUnknown d => entry with { Attempt = d.Attempt, Next = d.Next, OutcomeUnknown = true },
            _ => entry,
        };
    }

    private static string WordsOf(object e, IReadOnlyList<string> addresses) => e switch
    {
        MessageSubmitted => "submitted",
        DeliveryAttempted d => DeliveryWords.Attempted(d),
        _ => DeliveryWords.Of(e, addresses) ?? HistoryWords.Unknown,
    };

    private static int? CodeOf(int code) => code > 0 ? code : null;
}
