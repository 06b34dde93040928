using System.Runtime.CompilerServices;
using EventMail.Domain.Accounts;
using EventMail.Domain.Mailboxes;
using EventMail.EventStore;
using EventMail.Projections.Accounts;
using EventMail.Projections.Past;

namespace EventMail.Projections.Replaying;

/// <summary>
/// Mailboxes folded one after the other, each by its own stream: memory is that of one, however many there are. Thread-safe.
/// </summary>
/// <param name="pictures">Where to begin; null: each mailbox at its first event, without a look at any read model.</param>
public sealed class StreamReplay(EventLog log, PastMailboxes? pictures)
{
    private const int Page = 1000;

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

    /// <summary>As of an instant, its events included.</summary>
    public async Task<MailboxState> AtAsync(StreamKey mailbox, DateTimeOffset until, CancellationToken cancel) => pictures is null
        ? await FoldAsync(mailbox, MailboxState.Empty, until, cancel).ConfigureAwait(false)
        : await pictures.OpenAsync(mailbox, await pictures.VersionAtAsync(mailbox, until, cancel).ConfigureAwait(false), cancel).ConfigureAwait(false);

    /// <summary>As of two instants, the earlier one first; what did not change between them is there once.</summary>
    public async Task<(MailboxState Before, MailboxState After)> AtAsync(
        StreamKey mailbox, DateTimeOffset earlier, DateTimeOffset later, CancellationToken cancel)
    {
        var before = await AtAsync(mailbox, earlier, cancel).ConfigureAwait(false);
        return (before, pictures is null
            ? await FoldAsync(mailbox, before, later, cancel).ConfigureAwait(false)
            : await AtAsync(mailbox, later, cancel).ConfigureAwait(false));
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

    // The times of a stream do not run backwards: the first event that is too late ends it.
    private async Task<MailboxState> FoldAsync(StreamKey mailbox, MailboxState state, DateTimeOffset until, CancellationToken cancel)
    {
        await foreach (var e in log.Reader.ReadStreamAsync(mailbox, state.Version + 1, cancel: cancel).ConfigureAwait(false))
        {
            if (e.Timestamp > until)
                break;
            if (MailboxState.IsEvent(e.Data))
                state = state.Evolve(e.Data, e.Version, e.Timestamp);
        }
        return state;
    }
}
