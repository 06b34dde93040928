using System.Globalization;
using System.Text;
using EventMail.Domain.Mailboxes;
using EventMail.EventStore;
using EventMail.Projections.Mailboxes;
using Npgsql;
using Shouldly;

namespace EventMail.Testing;

/// <summary>What the read models of a database say, and the mailboxes that a server holds in memory, to be compared with a fold of the log.</summary>
internal sealed class Replay
{
    private readonly Dictionary<string, List<string>> _tables = [];
    private readonly SortedDictionary<string, string> _mailboxes = new(StringComparer.Ordinal);

    private Replay() { }

    /// <summary>The tables, and each mailbox with its messages as far as the executor has it in memory.</summary>
    public static Task<Replay> LiveAsync(EventLog log) => ReadAsync(log.DataSource, (_, mailboxes) => Task.FromResult(mailboxes
        .Select(key => (key, State: log.Executor.TryGetState(key, out var known) ? (MailboxState)known.State : MailboxState.Empty))
        .Where(mailbox => mailbox.State is { Version: > 0, View: not null })));

    /// <summary>The tables, and each mailbox folded from its first event.</summary>
    public static Task<Replay> FoldedAsync(EventLog log) => ReadAsync(log.DataSource, async (connection, mailboxes) =>
        (await log.Reader.FoldAsync(MailboxKind.Instance, connection, mailboxes, default)).Select(entry => (entry.Key, (MailboxState)entry.Value.State)));

    private static async Task<Replay> ReadAsync(
        NpgsqlDataSource source, Func<NpgsqlConnection, IReadOnlyList<StreamKey>, Task<IEnumerable<(StreamKey Key, MailboxState State)>>> states)
    {
        var replay = new Replay();
        await using var connection = await source.OpenConnectionAsync();
        foreach (var table in ReadModelTables.Derived)
            replay._tables[table] = await RowsAsync($"select {ReadModelTables.RowOf(table)}::text from {ReadModelTables.Schema}.{table} t order by 1");
        var mailboxes = (await RowsAsync("select tenant_id || ' ' || id from public.mt_streams where type = 'mailbox'"))
            .Select(text => text.Split(' ')).Select(parts => new StreamKey(parts[0], Guid.Parse(parts[1]))).ToList();
        foreach (var (key, state) in await states(connection, mailboxes))
            replay._mailboxes[key.ToString()] = Text(state);
        return replay;

        async Task<List<string>> RowsAsync(string sql)
        {
            await using var command = new NpgsqlCommand(sql, connection);
            await using var reader = await command.ExecuteReaderAsync();
            var rows = new List<string>();
            while (await reader.ReadAsync())
                rows.Add(reader.GetString(0));
            return rows;
        }
    }

    public void ShouldBe(Replay folded)
    {
        foreach (var (table, rows) in _tables)
            rows.ShouldBe(folded._tables[table], $"{ReadModelTables.Schema}.{table} is not what the log says");
        foreach (var (key, mailbox) in _mailboxes)
            mailbox.ShouldBe(folded._mailboxes[key], $"the mailbox {key} is not what the log says");
    }

    private static string Text(MailboxState state)
    {
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"{state.Name} {state.UidValidity} {state.UidNext} {state.Messages} {state.Unseen} {state.Bytes} ");
        text.Append(CultureInfo.InvariantCulture, $"{state.RecentFrom} {state.SpecialUse} {state.Deleted} {state.Version} ");
        text.AppendJoin(' ', state.Flags.Keywords).AppendJoin(' ', state.Acl.Entries).Append('\n');
        foreach (var slice in state.View!.Slices())
        {
            for (var i = 0; i < slice.Length; i++)
            {
                text.Append(CultureInfo.InvariantCulture, $"{slice.Uids[i]} {slice.Flags[i]:x} {slice.ModSeqs[i]} {slice.Sizes[i]} ");
                text.Append(CultureInfo.InvariantCulture, $"{slice.InternalDates[i]} {slice.Contents[i]} {slice.SaveDates[i]}\n");
            }
        }
        return text.ToString();
    }
}
