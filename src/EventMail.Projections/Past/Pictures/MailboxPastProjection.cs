using EventMail.Domain.Mailboxes;
using EventMail.EventStore;
using Npgsql;

namespace EventMail.Projections.Past;

/// <summary>
/// Pictures of mailboxes at every <see cref="Every"/>th version, so that a mailbox is opened as of any instant by some of them and a short
/// tail. It reads the rest of what it needs from the streams themselves: what it keeps in memory only spares reading.
/// </summary>
/// <param name="every">Another number for tests.</param>
public sealed class MailboxPastProjection(int every = MailboxPastProjection.Every) : IAsyncProjection
{
    public const string ProjectionName = "MailboxPast";

    /// <summary>Events of a mailbox between two pictures: as many as are folded in some ten milliseconds.</summary>
    public const int Every = 1_000;

    // About 50 octets each.
    private const int RememberedMessages = 1_000_000;

    private readonly PastViews _memory = new(RememberedMessages);

    private EventLog? _log;

    public string Name => ProjectionName;

    // 2: chunks as marks. 3: what came, and changes since earlier pictures.
    public int Version => 3;

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
        var connection = transaction.Connection!;
        var place = await PictureRows.LastAsync(connection, mailbox, version - 1, cancel);
        var before = place is null ? MailboxState.Empty
            : _memory.TryGet(mailbox, place.Version, out var known) && known.Version == place.Version ? known
            : await PictureRows.LoadAsync(connection, mailbox, 0, place.Version, cancel);
        var now = before ?? MailboxState.Empty;
        try
        {
            await foreach (var e in _log!.Reader.ReadForFoldAsync(mailbox, now.Version + 1, version, cancel))
                now = now.Evolve(e.Data, e.Version, e.Timestamp);
        }
        catch (DamagedStreamException)
        {
            // The reader has told. This picture is left out, which costs whoever opens that past a longer tail; the other mailboxes go on.
            return;
        }
        await PictureRows.StoreAsync(transaction, mailbox, await PictureOfAsync(connection, mailbox, place, before, now, cancel), cancel);
        _memory.Put(mailbox, now);
    }

    // Where the pictures before are damaged, a new beginning.
    private static async Task<Picture> PictureOfAsync(
        NpgsqlConnection connection, StreamKey mailbox, PicturePlace? place, MailboxState? before, MailboxState now, CancellationToken cancel)
    {
        if (place is null || before is null)
            return Picture.Whole(now);
        var earlier = await PictureRows.ChangesAsync(connection, mailbox, place.TakenInByNext, cancel);
        return earlier.Count == place.TakenInByNext.Length ? Picture.After(place, before, now, earlier) : Picture.Whole(now);
    }
}
