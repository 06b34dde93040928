using EventMail.EventStore;
using Npgsql;
using NpgsqlTypes;

namespace EventMail.Projections.History;

/// <summary>What mailboxes were called when something happened.</summary>
internal sealed class MailboxNames(NpgsqlDataSource source)
{
    // Mailboxes whose names are remembered.
    private const int Remembered = 1000;

    private const string Own = "select version, at, name from past_name where tenant_id = $2 and mailbox_id = $1 order by version";

    // Messages are copied between accounts where mailboxes are shared.
    private const string Others = "select version, at, name from past_name where mailbox_id = $1 order by version";

    private const string Bearers = """
        select distinct tenant_id, mailbox_id from past_name
        where ($1::varchar[] is null or tenant_id = any($1)) and (name = $2 or (name = 'INBOX' and upper($2) = 'INBOX'))
        """;

    private readonly BoundedCache<Guid, Name[]> _names = new(Remembered);

    /// <param name="e">The event that names it: of its own stream, or of another.</param>
    /// <returns>Null for a mailbox that is not known.</returns>
    public async ValueTask<string?> FindAsync(Guid mailbox, StoredEvent e, CancellationToken cancel)
    {
        if (!_names.TryGet(mailbox, out var names))
            _names.Set(mailbox, names = await ReadAsync(mailbox, e.Stream.Tenant, cancel).ConfigureAwait(false));
        var known = default(string);
        foreach (var name in names)
        {
            // Behind its own stream's version; behind the time of another's, which need not be of this clock: then the first name stands.
            var before = mailbox == e.Stream.Id ? name.Version <= e.Version : name.At <= e.Timestamp;
            if (!before && known is not null)
                break;
            known = name.Text ?? known;
        }
        return known;
    }

    /// <summary>The mailboxes of accounts that have or ever had a name.</summary>
    public async Task<IReadOnlySet<StreamKey>> BearersAsync(IReadOnlyList<string>? accounts, string name, CancellationToken cancel)
    {
        await using var command = source.CreateCommand(Bearers);
        command.Parameters.Add(new() { Value = (object?)accounts?.ToArray() ?? DBNull.Value, NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Varchar });
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = name });
        var streams = new HashSet<StreamKey>();
        await using var row = await command.ExecuteReaderAsync(cancel).ConfigureAwait(false);
        while (await row.ReadAsync(cancel).ConfigureAwait(false))
            streams.Add(new(row.GetString(0), row.GetGuid(1)));
        return streams;
    }

    private async Task<Name[]> ReadAsync(Guid mailbox, string tenant, CancellationToken cancel)
    {
        var names = new List<Name>();
        foreach (var sql in (string[])[Own, Others])
        {
            await using var command = source.CreateCommand(sql);
            command.Parameters.Add(new() { Value = mailbox });
            if (sql == Own)
                command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = tenant });
            await using var row = await command.ExecuteReaderAsync(cancel).ConfigureAwait(false);
            while (await row.ReadAsync(cancel).ConfigureAwait(false))
                names.Add(new(row.GetInt64(0), new(row.GetDateTime(1)), row.IsDBNull(2) ? null : row.GetString(2)));
            if (names.Count > 0)
                break;
        }
        return [.. names];
    }

    /// <param name="Text">Null: it was deleted.</param>
    private sealed record Name(long Version, DateTimeOffset At, string? Text);
}
