using EventMail.Domain.Mailboxes;
using EventMail.EventStore;
using Npgsql;

namespace EventMail.Projections.Past;

/// <summary>
/// Pictures of mailboxes at every <see cref="Every"/>th version, so that a mailbox is opened as of any instant by one of them and a short
/// tail; one that would be dear is passed over, at most three times in a row. It reads the rest of what it needs from the streams
/// themselves: what it keeps in memory only spares reading.
/// </summary>
/// <param name="every">Another number for tests.</param>
/// <param name="octetsPerEvent">Another number for tests.</param>
public sealed class MailboxPastProjection(int every = MailboxPastProjection.Every, int octetsPerEvent = MailboxPastProjection.OctetsPerEvent) : IAsyncProjection
{
    public const string ProjectionName = "MailboxPast";

    /// <summary>Events of a mailbox between two pictures.</summary>
    public const int Every = 2_500;

    /// <summary>What a picture may cost for each event since the one before. An event itself takes more.</summary>
    public const int OctetsPerEvent = 256;

    // Times that many events without one, and a picture is taken whatever it costs.
    private const int Patience = 4;

    // About 50 octets each.
    private const int RememberedMessages = 1_000_000;

    private readonly PictureMemory _memory = new(RememberedMessages);

    private EventLog? _log;

    public string Name => ProjectionName;

    // 2: chunks as marks.
    public int Version => 2;

    public IReadOnlyList<string> Tables => PictureRows.Tables;

    public bool IsNews(StoredEvent e) => e.EndsRow && e.Version % every == 0 && MailboxState.IsEvent(e.Data);

    public void Join(EventLog log) => _log = log;

    public Task CreateAsync(NpgsqlConnection connection, CancellationToken cancel) => SqlScript.ExecuteAsync(connection, PictureRows.Create, cancel);

    public async Task ApplyAsync(NpgsqlTransaction transaction, IReadOnlyList<StoredEvent> events, CancellationToken cancel)
    {
        foreach (var e in events)
        {
            if (IsNews(e))
                await TakeAsync(transaction, e.Stream, e.Version, cancel);
        }
    }

    private async Task TakeAsync(NpgsqlTransaction transaction, StreamKey mailbox, long version, CancellationToken cancel)
    {
        var before = await PictureRows.LoadAsync(transaction.Connection!, mailbox, 0, version - 1, _memory, cancel);
        var state = before?.State ?? MailboxState.Empty;
        var events = version - state.Version;
        try
        {
            await foreach (var e in _log!.Reader.ReadStreamAsync(mailbox, state.Version + 1, version, cancel: cancel))
                state = state.Evolve(e.Data, e.Version, e.Timestamp);
        }
        catch (DamagedStreamException)
        {
            // The reader has told. This picture is left out, which costs whoever opens that past a longer tail; the other mailboxes go on.
            return;
        }
        if (PictureDraft.Of(state, before, events >= Patience * every ? long.MaxValue : events * octetsPerEvent) is not { } draft)
            return;
        await PictureRows.StoreAsync(transaction, mailbox, draft, cancel);
        foreach (var chunk in draft.Chunks)
            _memory.Put(mailbox, chunk);
    }
}
