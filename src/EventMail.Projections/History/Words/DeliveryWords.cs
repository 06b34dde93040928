using System.Globalization;
using EventMail.Domain.Deliveries;
using EventMail.Domain.Deliveries.Notifications;

namespace EventMail.Projections.History.Words;

/// <summary>What an event of a delivery says, as a sentence. Remote hosts chose some of its words.</summary>
internal static class DeliveryWords
{
    // More are counted.
    private const int Named = 5;

    /// <param name="addresses">The message's recipients, in order.</param>
    /// <returns>Null for an event of something else.</returns>
    public static string? Of(object e, IReadOnlyList<string> addresses) => e switch
    {
        MessageSubmitted m => Submitted(m),
        DeliveryBegun d => string.Create(CultureInfo.InvariantCulture, $"attempt {d.Attempt} for {Names(addresses, d.Recipients)} begins on {d.Node}"),
        DeliveryAttempted d => Attempted(d) + $", for {Names(addresses, d.Recipients)}",
        RecipientDelivered { Mailbox: not null } d =>
            string.Create(CultureInfo.InvariantCulture, $"delivered to {Names(addresses, d.Recipients)} in a mailbox here, message {d.Uid}"),
        RecipientDelivered d => $"delivered to {Names(addresses, d.Recipients)}: {DeliveryReply.Line(d.Code, d.Enhanced, d.Text)}",
        DeliveryDeferred d => $"{Names(addresses, d.Recipients)} to be tried again {At(d.Next)}{Retry(d.Retries)}: {DeliveryReply.Line(d.Code, d.Enhanced, d.Text)}",
        RecipientFailed d => $"failed for {Names(addresses, d.Recipients)}: {DeliveryReply.Line(d.Code, d.Enhanced, d.Text)}{Said(d.Host)}",
        DeliveryOutcomeUnknown d => string.Create(CultureInfo.InvariantCulture,
            $"outcome unknown of attempt {d.Attempt} on {d.Node} for {Names(addresses, d.Recipients)}: they may get it twice; to be tried again {At(d.Next)}"),
        BounceIssued b => Told(b, Names(addresses, b.Recipients)),
        DeliveryCancelled d => $"delivery to {Names(addresses, d.Recipients)} cancelled{Because(d.Reason)}",
        DeliveryHeld d => $"delivery held{Because(d.Reason)}",
        DeliveryReleased => "delivery released",
        DeliveryHastened d => $"delivery to {Names(addresses, d.Recipients)} to be tried now",
        _ => null,
    };

    // A position out of range is no reason not to tell the rest.
    private static string Names(IReadOnlyList<string> addresses, int[] positions) => Addresses([.. positions.Select(position =>
        position >= 0 && position < addresses.Count ? addresses[position] : string.Create(CultureInfo.InvariantCulture, $"recipient {position}"))]);

    /// <summary>Without whom it was for.</summary>
    public static string Attempted(DeliveryAttempted d)
    {
        var host = d.Host is null ? "no host" : d.RemoteAddress is null ? d.Host : $"{d.Host} [{d.RemoteAddress}]";
        var tls = d.Tls is { } t ? $" over {t.Version} ({t.Policy}{(t.Verified ? ", verified" : "")})" : d.RemoteAddress is null ? "" : " in the clear";
        return string.Create(CultureInfo.InvariantCulture,
            $"{host}{tls}: {DeliveryReply.Line(d.Code, d.Enhanced, d.Text)} at {d.Stage} after {d.Milliseconds} ms");
    }

    private static string Submitted(MessageSubmitted m)
    {
        var text = string.Create(CultureInfo.InvariantCulture,
            $"submitted from <{m.Sender}> for {Addresses([.. m.Recipients.Select(r => r.Address)])}, {m.Content.Size} bytes");
        if (m.MessageId is { } id)
            text += $", Message-ID <{id}>";
        if (m.HoldUntil is { } until)
            text += $", not before {Time(until)}";
        if (m.DeliverBy is { } by)
            text += $", until {Time(by.At)}";
        return text;
    }

    private static string Told(BounceIssued bounce, string who)
    {
        var what = bounce.Action switch
        {
            DeliveryActions.Failed => $"delivery to {who} failed",
            DeliveryActions.Delayed => $"delivery to {who} takes longer",
            DeliveryActions.Delivered => $"it was delivered to {who}",
            _ => $"it was {bounce.Action} to {who}",
        };
        return bounce.Mailbox is null
            ? $"nobody is there to be told that {what}"
            : string.Create(CultureInfo.InvariantCulture, $"sender told that {what}, by message {bounce.Uid}");
    }

    private static string Addresses(string[] addresses) => addresses.Length <= Named
        ? string.Join(", ", addresses.Select(address => $"<{address}>"))
        : string.Create(CultureInfo.InvariantCulture, $"{string.Join(", ", addresses.Take(Named).Select(address => $"<{address}>"))} and {addresses.Length - Named} more");

    private static string Said(string? host) => host is null ? "" : $", said {host}";

    private static string Because(string? reason) => reason is null ? "" : $": {reason}";

    private static string Retry(int retries) => string.Create(CultureInfo.InvariantCulture, $" (retry {retries})");

    private static string At(DateTimeOffset time) => $"at {Time(time)}";

    private static string Time(DateTimeOffset time) => string.Create(CultureInfo.InvariantCulture, $"{time.UtcDateTime:yyyy-MM-dd HH:mm:ss}Z");
}
