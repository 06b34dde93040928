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

    private readonly HashSet<long> _lacking = [];

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

    public IReadOnlyCollection<long> TakeLacking()
    {
        long[] lacking = [.. _lacking];
        _lacking.Clear();
        return lacking;
    }

    /// <summary>The pictures that were left out for a row that can be read now: those above the last one that is there, since later ones stand on earlier ones.</summary>
    public async Task TakeUpAsync(NpgsqlTransaction transaction, IReadOnlyList<StoredEvent> row, CancellationToken cancel)
    {
        var (mailbox, damaged) = (row[0].Stream, row[0].Version);
        if (!row.Any(e => MailboxState.IsEvent(e.Data)))
            return;
        var last = (await PictureRows.LastAsync(transaction.Connection!, mailbox, long.MaxValue, cancel))?.Version ?? 0;
        var end = await VersionAsync(transaction, mailbox, cancel);
        for (var version = (Math.Max(last, damaged - 1) / every + 1) * every; version <= end; version += every)
            await TakeAsync(transaction, mailbox, version, cancel);
    }

    private static async Task<long> VersionAsync(NpgsqlTransaction transaction, StreamKey mailbox, CancellationToken cancel)
    {
        await using var command = new NpgsqlCommand("select version from public.mt_streams where tenant_id = $1 and id = $2", transaction.Connection, transaction)
        {
            Parameters = { new() { Value = mailbox.Tenant }, new() { Value = mailbox.Id } },
        };
        return await command.ExecuteScalarAsync(cancel) as long? ?? 0;
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
        catch (DamagedStreamException e)
        {
            // The reader has told. Until that row is repaired this picture is left out, which costs whoever opens that past a longer tail; the other
            // mailboxes go on.
            _lacking.Add(e.Row.Sequence);
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
