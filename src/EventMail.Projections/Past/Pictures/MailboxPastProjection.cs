using EventMail.Domain.Mailboxes;
using EventMail.EventStore;
using Npgsql;

namespace EventMail.Projections.Past;

/// <summary>
/// Pictures of mailboxes at every <see cref="Every"/>th version, so that a mailbox is opened as of any instant by one of them and a short
/// tail. It reads the rest of what it needs from the streams themselves, and so has no state of its own.
/// </summary>
/// <param name="every">Another number for tests.</param>
public sealed class MailboxPastProjection(int every = MailboxPastProjection.Every) : IAsyncProjection
{
    public const string ProjectionName = "MailboxPast";

    /// <summary>Events of a mailbox between two pictures.</summary>
    public const int Every = 10_000;

    private EventLog? _log;

    public string Name => ProjectionName;

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
        var before = await PictureRows.LoadAsync(transaction.Connection!, mailbox, version - 1, cancel);
        var state = before?.State ?? MailboxState.Empty;
        await foreach (var e in _log!.Reader.ReadStreamAsync(mailbox, state.Version + 1, version, cancel: cancel))
            state = state.Evolve(e.Data, e.Version, e.Timestamp);
        await PictureRows.StoreAsync(transaction, mailbox, state, before, cancel);
    }
}
