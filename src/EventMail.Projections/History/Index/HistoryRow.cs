using EventMail.EventStore;

namespace EventMail.Projections.History.Index;

/// <summary>
/// A row of the index. Each event has one, and more where it names more than fits: two names, one content, one message of a mailbox to a row.
/// </summary>
/// <param name="Place">A message of a mailbox that the event does something to, or all of the mailbox's.</param>
internal readonly record struct HistoryRow(
    long Seq, long Account, long? Session, long? Client, long? Name, long? OtherName, long? Message, long? Digest, long? Content, long? Place)
{
    /// <summary>An event on more messages than this is found by its mailbox: it would be as many rows.</summary>
    public const int MaxPlaces = 16;

    public static void Add(StoredEvent e, HistoryKey key, List<HistoryRow> rows)
    {
        var addresses = new List<string>();
        EventTerms.AddAddresses(e, addresses);
        var names = addresses.Distinct(StringComparer.Ordinal).Select(key.Name).ToList();
        var content = EventTerms.Content(e.Data);
        IReadOnlyList<long> contents = content is not null ? [content.Number] : EventTerms.Moved(e.Data) is var (_, moved) ? [.. moved.Distinct()] : [];
        var places = PlacesOf(e, key);
        var row = new HistoryRow(
            e.Sequence, key.Account(e.Stream.Tenant),
            e.Metadata.CorrelationId is { } session ? key.Session(session) : null,
            EventTerms.Client(e) is { } client ? key.Client(client) : null,
            At(names, 0), At(names, 1),
            EventTerms.MessageId(e.Data) is { } messageId ? key.MessageId(messageId) : null,
            content is null ? null : key.Digest(content.Sha256),
            At(contents, 0), At(places, 0));
        rows.Add(row);
        for (var n = 1; 2 * n < names.Count || n < contents.Count || n < places.Count; n++)
            rows.Add(new(row.Seq, row.Account, null, null, At(names, 2 * n), At(names, 2 * n + 1), null, null, At(contents, n), At(places, n)));
    }

    private static List<long> PlacesOf(StoredEvent e, HistoryKey key)
    {
        if (EventTerms.Touched(e) is not var (mailbox, uids))
            return [];
        if (uids.IsEmpty || uids.Count > MaxPlaces)
            return [key.Place(mailbox, 0)];
        var places = new List<long>();
        foreach (var range in uids.Ranges)
        {
            for (ulong uid = range.First; uid <= range.Last; uid++)
                places.Add(key.Place(mailbox, (uint)uid));
        }
        return places;
    }

    private static long? At(IReadOnlyList<long> terms, int n) => n < terms.Count ? terms[n] : null;
}
