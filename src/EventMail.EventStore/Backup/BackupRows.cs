using System.Globalization;
using Npgsql;

namespace EventMail.EventStore.Backup;

/// <summary>The rows that a backup takes, as PostgreSQL copies them. Each copy is a short transaction of its own.</summary>
internal sealed class BackupRows(NpgsqlConnection connection)
{
    private static readonly string[] StreamColumns = ["tenant_id", "id", "type", "created", "is_archived"];

    public NpgsqlConnection Connection => connection;

    public string[] Streams => StreamColumns;

    public string[] Events { get; private set; } = [];

    public string[] Contents { get; private set; } = [];

    public string[] SubjectKeys { get; private set; } = [];

    public static async Task<BackupRows> OpenAsync(NpgsqlConnection connection, CancellationToken cancel) => new(connection)
    {
        Events = await ColumnsAsync(connection, "public.mt_events", cancel),
        Contents = await ColumnsAsync(connection, "eventmail.content", cancel),
        SubjectKeys = await ColumnsAsync(connection, "eventmail.subject_key", cancel),
    };

    public static async Task<string[]> ColumnsAsync(NpgsqlConnection connection, string table, CancellationToken cancel)
    {
        await using var command = new NpgsqlCommand(
            "select array_agg(attname::text order by attnum) from pg_attribute where attrelid = $1::regclass and attnum > 0 and not attisdropped", connection)
        {
            Parameters = { new() { Value = table } },
        };
        return (string[])(await command.ExecuteScalarAsync(cancel))!;
    }

    public Task<Stream> EventsAsync(long after, long to, CancellationToken cancel) =>
        CopyAsync($"select {Names(Events)} from public.mt_events where seq_id > {after} and seq_id <= {to} order by seq_id", cancel);

    /// <summary>The streams that begin there: what the events do not say of them.</summary>
    public Task<Stream> StreamsAsync(long after, long to, CancellationToken cancel) => CopyAsync(
        $"""
        select s.{string.Join(", s.", StreamColumns)} from public.mt_events e
        join public.mt_streams s on s.tenant_id = e.tenant_id and s.id = e.stream_id
        where e.seq_id > {after} and e.seq_id <= {to} and e.version = 1 order by e.seq_id
        """, cancel);

    public Task<Stream> ContentsAsync(IReadOnlyList<(long First, long Last)> numbers, CancellationToken cancel) => CopyAsync(
        $"select {Names(Contents)} from eventmail.content where {string.Join(" or ", numbers.Select(range => $"number between {range.First} and {range.Last}"))} order by number",
        cancel);

    public Task<Stream> SubjectKeysAsync(CancellationToken cancel) =>
        CopyAsync($"select {Names(SubjectKeys)} from eventmail.subject_key order by subject", cancel);

    public static string Names(IEnumerable<string> columns) => string.Join(", ", columns.Select(name => $"\"{name.Replace("\"", "\"\"", StringComparison.Ordinal)}\""));

    private async Task<Stream> CopyAsync(string query, CancellationToken cancel) =>
        await connection.BeginRawBinaryCopyAsync(string.Create(CultureInfo.InvariantCulture, $"copy ({query}) to stdout (format binary)"), cancel);

    /// <summary>The position of the so-many-th event behind another; null when there is none up to the end.</summary>
    public async Task<long?> PageEndAsync(long after, long to, int events, CancellationToken cancel)
    {
        await using var command = new NpgsqlCommand(
            "select max(seq_id) from (select seq_id from public.mt_events where seq_id > $1 and seq_id <= $2 order by seq_id limit $3) page", connection)
        {
            Parameters = { new() { Value = after }, new() { Value = to }, new() { Value = (long)events } },
        };
        return await command.ExecuteScalarAsync(cancel) as long?;
    }

    /// <summary>Every content's number, by pages.</summary>
    public async Task<NumberRanges> NumbersAsync(CancellationToken cancel)
    {
        const int Page = 100_000;
        var numbers = new NumberRanges();
        for (var (last, count) = (0L, Page); count == Page;)
        {
            await using var command = new NpgsqlCommand("select number from eventmail.content where number > $1 order by number limit $2", connection)
            {
                Parameters = { new() { Value = last }, new() { Value = (long)Page } },
            };
            await using var reader = await command.ExecuteReaderAsync(cancel);
            for (count = 0; await reader.ReadAsync(cancel); count++)
                numbers.Append(last = reader.GetInt64(0));
        }
        return numbers;
    }

    /// <summary>The id of the first event of the log; null without any.</summary>
    public Task<Guid?> FirstEventAsync(CancellationToken cancel) =>
        IdAsync("select id from public.mt_events order by seq_id limit 1", cancel);

    /// <summary>The id of the last event up to a position.</summary>
    public Task<Guid?> LastEventAsync(long to, CancellationToken cancel) =>
        IdAsync($"select id from public.mt_events where seq_id <= {to} order by seq_id desc limit 1", cancel);

    private async Task<Guid?> IdAsync(string sql, CancellationToken cancel)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        return await command.ExecuteScalarAsync(cancel) as Guid?;
    }

    public async Task<long> NextContentAsync(CancellationToken cancel)
    {
        await using var command = new NpgsqlCommand("select last_value from eventmail.content_number", connection);
        return (long)(await command.ExecuteScalarAsync(cancel))!;
    }

    public async Task<bool> HasContentAsync(long number, CancellationToken cancel)
    {
        await using var command = new NpgsqlCommand("select 1 from eventmail.content where number = $1", connection) { Parameters = { new() { Value = number } } };
        return await command.ExecuteScalarAsync(cancel) is not null;
    }
}
