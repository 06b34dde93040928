using System.Runtime.CompilerServices;
using EventMail.Domain.Accounts;
using EventMail.Domain.Mailboxes;
using EventMail.EventStore;
using EventMail.Projections.Accounts;
using EventMail.Projections.Past;

namespace EventMail.Projections.Replaying;

/// <summary>
/// Mailboxes folded one after the other, each by its own stream: memory is that of one, however many there are. Not thread-safe.
/// </summary>
/// <param name="pictures">Where to begin; null: each mailbox at its first event, without a look at any read model.</param>
public sealed class StreamReplay(EventLog log, PastMailboxes? pictures)
{
    private const int Page = 1000;

    private static readonly string[] Naming = ["mailbox_created", "mailbox_renamed", "mailbox_restored", "mailbox_deleted"];

    private long _folded;

    /// <summary>Hears how many events were folded.</summary>
    public IProgress<long>? Folded { get; init; }

    /// <summary>All that there ever were, account by account.</summary>
    /// <param name="accounts">Only theirs; null: of all.</param>
    public async IAsyncEnumerable<StreamKey> MailboxesAsync(IReadOnlyList<string>? accounts, [EnumeratorCancellation] CancellationToken cancel)
    {
        const string sql = """
            select s.tenant_id, s.id from public.mt_streams s
            where s.type = 'mailbox' and (s.tenant_id, s.id) > ($1, $2) and ($3::varchar[] is null or s.tenant_id = any($3))
            order by s.tenant_id, s.id limit $4
            """;
        var (last, count) = (new StreamKey("", Guid.Empty), Page);
        while (count == Page)
        {
            var keys = new List<StreamKey>(Page);
            await using (var command = log.DataSource.CreateCommand(sql))
            {
                command.Parameters.Add(new() { Value = last.Tenant });
                command.Parameters.Add(new() { Value = last.Id });
                command.Parameters.Add(new()
                {
                    Value = (object?)accounts?.ToArray() ?? DBNull.Value,
                    NpgsqlDbType = NpgsqlTypes.NpgsqlDbType.Array | NpgsqlTypes.NpgsqlDbType.Varchar,
                });
                command.Parameters.Add(new() { Value = (long)Page });
                await using var row = await command.ExecuteReaderAsync(cancel).ConfigureAwait(false);
                while (await row.ReadAsync(cancel).ConfigureAwait(false))
                    keys.Add(new(row.GetString(0), row.GetGuid(1)));
            }
            foreach (var key in keys)
                yield return key;
            (last, count) = (keys.Count > 0 ? keys[^1] : last, keys.Count);
        }
    }

    /// <summary>A mailbox with its messages.</summary>
    public Task<MailboxState> AtAsync(StreamKey mailbox, ReplayPoint point, CancellationToken cancel) =>
        AtAsync(mailbox, MailboxState.Empty, point, cancel);

    /// <summary>A mailbox; whether its messages are known is another matter.</summary>
    public Task<MailboxState> HeaderAtAsync(StreamKey mailbox, ReplayPoint point, CancellationToken cancel) =>
        AtAsync(mailbox, MailboxState.Empty with { View = null }, point, cancel);

    /// <summary>What a mailbox was called; null where it was not there.</summary>
    public async Task<string?> NameAtAsync(StreamKey mailbox, ReplayPoint point, CancellationToken cancel)
    {
        var state = MailboxState.Empty with { View = null };
        await foreach (var e in log.Reader.ReadStreamAsync(mailbox, types: Naming, cancel: cancel).ConfigureAwait(false))
        {
            if (!point.Has(e))
                break;
            if (MailboxState.IsEvent(e.Data))
                state = state.Evolve(e.Data, e.Version, e.Timestamp);
        }
        return state.Exists ? state.Name : null;
    }

    /// <summary>As of two instants, the earlier one first; what did not change between them is there once.</summary>
    public async Task<(MailboxState Before, MailboxState After)> AtAsync(
        StreamKey mailbox, DateTimeOffset earlier, DateTimeOffset later, CancellationToken cancel)
    {
        var before = await AtAsync(mailbox, new ReplayPoint(earlier, null), cancel).ConfigureAwait(false);
        return (before, await AtAsync(mailbox, before, new(later, null), cancel).ConfigureAwait(false));
    }

    /// <summary>An account's address as the log has it; its id where it does not.</summary>
    public async Task<string> AddressAsync(string account, CancellationToken cancel)
    {
        var address = account;
        await foreach (var e in log.Reader.ReadStreamAsync(AccountStreamKinds.AccountStream(account).Key, types: ["account_opened"], cancel: cancel).ConfigureAwait(false))
        {
            if (e.Data is AccountOpened opened)
                address = opened.Address;
        }
        return address;
    }

    // From what is known already, unless a picture may be nearer.
    private async Task<MailboxState> AtAsync(StreamKey mailbox, MailboxState state, ReplayPoint point, CancellationToken cancel)
    {
        var version = point.Until is { } until
            ? await PastNameRows.VersionAsync(log.DataSource, mailbox, until, cancel).ConfigureAwait(false)
            : await PastNameRows.VersionAsync(log.DataSource, mailbox, point.Sequence ?? long.MaxValue, cancel).ConfigureAwait(false);
        if (pictures is not null)
            return await pictures.OpenAsync(mailbox, version, cancel).ConfigureAwait(false);
        await foreach (var e in log.Reader.ReadForFoldAsync(mailbox, state.Version + 1, version, cancel).ConfigureAwait(false))
        {
            if (MailboxState.IsEvent(e.Data))
                state = state.Evolve(e.Data, e.Version, e.Timestamp);
            Folded?.Report(++_folded);
        }
        return state;
    }
}
