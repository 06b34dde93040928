using System.Text.Json;
using EventMail.Domain.Mailboxes;
using EventMail.Domain.Messages;
using EventMail.EventStore;
using EventMail.Projections.Mailboxes;

namespace EventMail.Projections.Capture;

/// <summary>
/// The messages of a capturing server in the order of their arrival: what is received and not expunged, in memory, made anew from the
/// log at the start. A message is here before its sender gets the 250. Thread-safe.
/// </summary>
public sealed class CapturedMessages : IDisposable
{
    private static readonly string[] Types = ["message_received", "messages_expunged", "mailbox_deleted"];

    private readonly Lock _lock = new();
    private readonly SortedList<long, CapturedMail> _messages = [];
    private readonly Dictionary<(StreamKey Mailbox, uint Uid), long> _copies = [];
    private readonly IDisposable _subscription;
    private TaskCompletionSource _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private CapturedMessages(EventLog log, List<(StoredEvent Event, string Subject)> history)
    {
        foreach (var (e, subject) in history)
            Fold([e], _ => subject);
        _subscription = log.Executor.Feed.Subscribe(OnCommit);
    }

    /// <summary>Call it before anybody delivers.</summary>
    public static async Task<CapturedMessages> OpenAsync(EventLog log, MessageSummaries summaries, CancellationToken cancel)
    {
        var history = new List<(StoredEvent, string)>();
        await foreach (var e in log.Reader.ReadHistoryAsync(new() { Types = Types }, cancel).ConfigureAwait(false))
            history.Add((e, e.Data is MessageReceived received ? SubjectOf(await summaries.GetAsync(received.Content.Number, cancel).ConfigureAwait(false)) : ""));
        return new(log, history);
    }

    public int Count
    {
        get
        {
            lock (_lock)
                return _messages.Count;
        }
    }

    public CapturedMail? Find(long id)
    {
        lock (_lock)
            return _messages.GetValueOrDefault(id);
    }

    /// <summary>The newest that fit, the newest first.</summary>
    public IReadOnlyList<CapturedMail> Newest(CapturedFilter filter, int limit)
    {
        lock (_lock)
            return [.. _messages.Values.Reverse().Where(filter.Fits).Take(limit)];
    }

    /// <summary>Those that came after one, in the order of their arrival.</summary>
    public IReadOnlyList<CapturedMail> After(long id, CapturedFilter filter, int limit)
    {
        lock (_lock)
        {
            var found = new List<CapturedMail>();
            for (var i = FirstAfter(id); i < _messages.Count && found.Count < limit; i++)
            {
                if (filter.Fits(_messages.GetValueAtIndex(i)))
                    found.Add(_messages.GetValueAtIndex(i));
            }
            return found;
        }
    }

    /// <summary>The id of the newest, 0 when there is none.</summary>
    public long Last
    {
        get
        {
            lock (_lock)
                return _messages.Count == 0 ? 0 : _messages.GetKeyAtIndex(_messages.Count - 1);
        }
    }

    /// <summary>Those beyond a count, the oldest.</summary>
    public IReadOnlyList<CapturedMail> Beyond(int count)
    {
        lock (_lock)
            return [.. _messages.Values.Take(Math.Max(0, _messages.Count - count))];
    }

    /// <summary>Ends with the next change. Take it before looking: nothing is missed then.</summary>
    public Task Changed
    {
        get
        {
            lock (_lock)
                return _changed.Task;
        }
    }

    public void Dispose() => _subscription.Dispose();

    private void OnCommit(CommitBatch batch)
    {
        var events = batch.Changes.Where(change => ReferenceEquals(change.Kind, MailboxKind.Instance)).SelectMany(change => change.Events).ToList();
        if (!events.Exists(e => e.Data is MessageReceived or MessagesExpunged or MailboxDeleted))
            return;
        TaskCompletionSource changed;
        lock (_lock)
        {
            Fold(events, number => batch.Contents.FirstOrDefault(content => content.Number == number)?.Annotation is MessageAnnotation annotation
                ? SubjectOf(annotation.Summary) : "");
            (changed, _changed) = (_changed, new(TaskCreationOptions.RunContinuationsAsynchronously));
        }
        changed.SetResult();
    }

    private void Fold(List<StoredEvent> events, Func<long, string> subjectOf)
    {
        foreach (var e in events.OrderBy(e => e.Sequence))
        {
            switch (e.Data)
            {
                case MessageReceived received:
                    Add(e, received, subjectOf);
                    break;
                case MessagesExpunged expunged:
                    foreach (var uid in UidSet.Parse(expunged.Uids))
                        Remove((e.Stream, uid));
                    break;
                case MailboxDeleted:
                    foreach (var copy in _copies.Keys.Where(copy => copy.Mailbox == e.Stream).ToList())
                        Remove(copy);
                    break;
            }
        }
    }

    // The recipients of one transaction are one message: their events come one behind the other.
    private void Add(StoredEvent e, MessageReceived received, Func<long, string> subjectOf)
    {
        var copy = new CapturedCopy(received.Recipient, e.Stream, received.Uid);
        var last = _messages.Count > 0 ? _messages.GetValueAtIndex(_messages.Count - 1) : null;
        var message = last is not null && last.Content == received.Content.Number && last.Transaction == e.Metadata.CausationId
            ? last with { Copies = [.. last.Copies, copy] }
            : new(
                e.Sequence, e.Metadata.CausationId ?? "", received.Content.Number, received.Content.Size, received.InternalDate, received.ReversePath,
                e.Metadata.UserName, received.MessageId, subjectOf(received.Content.Number), SessionOf(e.Metadata.HeadersJson), [copy]);
        _messages[message.Id] = message;
        _copies[(e.Stream, received.Uid)] = message.Id;
    }

    private void Remove((StreamKey Mailbox, uint Uid) copy)
    {
        if (!_copies.Remove(copy, out var id) || _messages.GetValueOrDefault(id) is not { } message)
            return;
        var left = message.Copies.Where(one => one.Mailbox != copy.Mailbox || one.Uid != copy.Uid).ToList();
        if (left.Count == 0)
            _messages.Remove(id);
        else
            _messages[id] = message with { Copies = left };
    }

    private int FirstAfter(long id)
    {
        var (low, high) = (0, _messages.Count);
        while (low < high)
        {
            var middle = (low + high) / 2;
            if (_messages.GetKeyAtIndex(middle) <= id)
                low = middle + 1;
            else
                high = middle;
        }
        return low;
    }

    private static string SubjectOf(MessageSummary summary)
    {
        var at = 0;
        while (summary.HeaderLines is { } lines && HeaderFields.TryNext(lines.Span, ref at, out var field))
        {
            if (field.Length > 8 && System.Text.Ascii.EqualsIgnoreCase(field[..8], "Subject:"u8))
                return EncodedWords.Decode(field[8..].Trim(" \t\r\n"u8));
        }
        return "";
    }

    // In an order of its own: what the database gives back (jsonb) is not as it was written.
    private static SortedDictionary<string, string> SessionOf(string? headers)
    {
        using var json = JsonDocument.Parse(headers ?? "{}");
        // The hash is the log's, and not yet there when this node has just committed the event.
        var said = json.RootElement.EnumerateObject().Where(member => member.Name is not (EventHash.Header or "sealed"));
        return new(said.ToDictionary(member => member.Name, member => member.Value.GetString() ?? ""), StringComparer.Ordinal);
    }
}
