using EventMail.Domain.Deliveries;
using EventMail.Domain.Mailboxes;
using EventMail.Domain.Reading;
using EventMail.Domain.Reception;
using EventMail.EventStore;

namespace EventMail.Projections.History.Life;

/// <summary>
/// What is known of a message, and whether an event belongs to its life. What it learns of one event leads to others, which may stand before
/// it in the log: who asks goes through the log until nothing new is learned (<see cref="Known"/>).
/// </summary>
internal sealed class MessageTrail
{
    private readonly HashSet<string> _notices = new(StringComparer.Ordinal);
    private readonly HashSet<(string? Session, string? Cause)> _transactions = [];
    private readonly Dictionary<Guid, HashSet<uint>> _places = [];
    private readonly HashSet<(Guid, uint)> _gone = [];

    /// <summary>Message-IDs by which it was asked for.</summary>
    public HashSet<string> MessageIds { get; } = new(StringComparer.Ordinal);

    /// <summary>Digests by which it was asked for.</summary>
    public HashSet<string> Digests { get; } = new(StringComparer.Ordinal);

    /// <summary>Its contents.</summary>
    public HashSet<long> Contents { get; } = [];

    /// <summary>Its submissions.</summary>
    public HashSet<StreamKey> Deliveries { get; } = [];

    /// <summary>The Message-IDs of notifications that it caused.</summary>
    public IReadOnlySet<string> Notices => _notices;

    /// <summary>The sessions in which it came here: what was refused of it has no Message-ID if that was before its beginning.</summary>
    public IEnumerable<string> Sessions => _transactions.Select(transaction => transaction.Session).OfType<string>().Distinct(StringComparer.Ordinal);

    /// <summary>Where it lies or lay.</summary>
    public IEnumerable<(Guid Mailbox, uint Uid)> Places => _places.SelectMany(mailbox => mailbox.Value.Select(uid => (mailbox.Key, uid)));

    /// <summary>Grows whenever something is learned.</summary>
    public long Known { get; private set; }

    /// <summary>The event is of its life. Events come in log order.</summary>
    public bool Follow(StoredEvent e) => e.Data switch
    {
        MessageReceived m => Arrives(e, m.MessageId, m.Content, m.Uid) || Tells(m.MessageId),
        MessageAppended m => Arrives(e, m.MessageId, m.Content, m.Uid) || Tells(m.MessageId),
        MessageSubmitted m => Submitted(e, m),
        MessageRefused m => Refused(e, m.MessageId),
        MessageDiscarded m => Refused(e, m.MessageId),
        MessagesCopiedIn or MessagesRestored => Comes(e),
        FlagsChanged or MessagesRead => Touches(e),
        MessagesExpunged => Touches(e) && Leaves(e),
        MailboxDeleted or MailboxRestored => _places.TryGetValue(e.Stream.Id, out var uids) && uids.Any(uid => !_gone.Contains((e.Stream.Id, uid))),
        BounceIssued b => Deliveries.Contains(e.Stream) && Notice(b),
        RecipientDelivered d => Deliveries.Contains(e.Stream) && Delivered(d),
        _ => Deliveries.Contains(e.Stream),
    };

    private bool Arrives(StoredEvent e, string? messageId, ContentRef content, uint uid)
    {
        if (!IsIt(messageId, content))
            return false;
        Learn(Contents, content.Number);
        Learn(_transactions, (e.Metadata.CorrelationId, e.Metadata.CausationId));
        AddPlace(e.Stream.Id, uid);
        return true;
    }

    private bool Submitted(StoredEvent e, MessageSubmitted m)
    {
        if (!IsIt(m.MessageId, m.Content))
            return false;
        Learn(Contents, m.Content.Number);
        Learn(_transactions, (e.Metadata.CorrelationId, e.Metadata.CausationId));
        Learn(Deliveries, e.Stream);
        return true;
    }

    private bool IsIt(string? messageId, ContentRef content) =>
        Contents.Contains(content.Number) || (messageId is not null && MessageIds.Contains(messageId)) || Digests.Contains(content.Sha256);

    private bool Tells(string? messageId) => messageId is not null && _notices.Contains(messageId);

    private bool Refused(StoredEvent e, string? messageId) => messageId is not null
        ? MessageIds.Contains(messageId)
        : e.Metadata.CorrelationId is { } session && _transactions.Contains((session, e.Metadata.CausationId));

    private bool Comes(StoredEvent e)
    {
        var (set, contents) = EventTerms.Moved(e.Data)!.Value;
        var uids = UidSet.Parse(set).GetEnumerator();
        var isIt = false;
        for (var i = 0; i < contents.Length && uids.MoveNext(); i++)
        {
            if (!Contents.Contains(contents[i]))
                continue;
            AddPlace(e.Stream.Id, uids.Current);
            isIt = true;
        }
        return isIt;
    }

    private bool Touches(StoredEvent e) =>
        EventTerms.Touched(e) is var (mailbox, uids) && _places.TryGetValue(mailbox, out var places) && places.Any(uids.Contains);

    private bool Leaves(StoredEvent e)
    {
        var (mailbox, uids) = EventTerms.Touched(e)!.Value;
        foreach (var uid in _places[mailbox].Where(uids.Contains))
            _gone.Add((mailbox, uid));
        return true;
    }

    private bool Notice(BounceIssued b)
    {
        if (b.MessageId is { } id)
            Learn(_notices, id);
        return true;
    }

    private bool Delivered(RecipientDelivered d)
    {
        if (d is { Mailbox: { } mailbox, Uid: { } uid })
            AddPlace(mailbox, uid);
        return true;
    }

    private void AddPlace(Guid mailbox, uint uid)
    {
        if (!_places.TryGetValue(mailbox, out var uids))
            _places[mailbox] = uids = [];
        Learn(uids, uid);
    }

    private void Learn<T>(HashSet<T> known, T news)
    {
        if (known.Add(news))
            Known++;
    }
}
